"""Twenty tenants over four connections, with tasks cancelled at random: nobody sees or counts what is not theirs.

`make bench` runs the same with 10,000 transactions.
"""

from __future__ import annotations

import pytest

from engine.state.embedded import EmbeddedServer
from tests.integration.tenants_under_load import Load

TRANSACTIONS = 1_000


@pytest.mark.parametrize("seed", [1, 2])
async def test_tenants_do_not_meet_however_their_transactions_end(postgres: EmbeddedServer, seed: int) -> None:
    tally = await Load(postgres.urls, seed=seed).run(TRANSACTIONS)

    assert (tally.transactions, tally.foreign_rows, tally.wrong_counts) == (TRANSACTIONS, 0, 0)
    assert tally.cancelled > 0
    assert tally.refused == 0
