<<<<<<< HEAD
"""Deciding where demand is served from, and doing the physical work that follows."""
=======
"""Deciding and doing: which node serves which lines, and the physical work that follows."""
>>>>>>> main
