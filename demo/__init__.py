"""The demo: an invented fashion-and-home retailer in Spain and Portugal, and one day of its business.

The demo is told through the REST API like any client. It owns the network (CSV files beside this page, described in
README.md), and the stock and orders that are drawn from a seed. Its invariant: one seed, the same story every time, on
any machine and at any hour, which is why its business clock is fixed.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

RETAILER = "Brisa y Barro"
SEED = 7
ORDER_COUNT = 500

# A Tuesday morning in Madrid: stores are open, the day's cut-offs are ahead, and the next holiday anywhere in the
# network is two weeks away.
BUSINESS_CLOCK = datetime(2026, 11, 17, 10, 0, tzinfo=ZoneInfo("Europe/Madrid"))
