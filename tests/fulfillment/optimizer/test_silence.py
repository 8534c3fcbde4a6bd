"""What a solver prints goes to standard error, and standard output is back afterwards."""

import os

from fulfillment.optimizer.silence import silenced


def test_what_is_printed_meanwhile_goes_to_standard_error(capfd):
    with silenced(), silenced():
        os.write(1, b"of the solver\n")
    os.write(1, b"of the plan\n")
    out, err = capfd.readouterr()
    assert (out, err) == ("of the plan\n", "of the solver\n")
