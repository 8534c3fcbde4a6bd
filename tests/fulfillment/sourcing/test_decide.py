from tests.fulfillment.sourcing.world import place, served, stock, wanted


def test_one_line_leaves_from_the_cheapest_node(session):
    stock(session, A={"MAD-W": 5, "MAD-S": 5, "BCN-S": 5})
    assert served(place(session, wanted())) == [("MAD-W", "ship", {"A": 1})]
