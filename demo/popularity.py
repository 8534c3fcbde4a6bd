"""Says how much customers want each article; stock and orders are drawn from the same answer.

Called by `stock` and `orders`. Its invariant: one seed ranks the articles in the same way for both, so that what sells
is what was bought in, within the limits of any buyer's luck.
"""

from random import Random

from demo.network import Article, articles

# Sales by rank fall as a power of the rank (Zipf): the first article sells some thirty times as often as the last.
EXPONENT = 0.6


def weights(seed: int) -> dict[str, float]:
    """Return the share of all units sold that each SKU makes up; the shares sum to one."""
    ranked = ranking(seed)
    raw = [rank**-EXPONENT for rank in range(1, len(ranked) + 1)]
    total = sum(raw)
    return {article.sku: weight / total for article, weight in zip(ranked, raw, strict=True)}


def ranking(seed: int) -> list[Article]:
    """Return the articles, best seller first."""
    ranked = list(articles())
    Random(f"popularity {seed}").shuffle(ranked)
    return ranked
