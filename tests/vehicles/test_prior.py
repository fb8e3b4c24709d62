"""Which styles the family draws."""

from __future__ import annotations

from clearcoat.vehicles import SHARES, draw_style


def test_the_order_of_weighted_styles_does_not_matter() -> None:
    # A spec's digest sorts the keys of its mappings.
    one = {"sedan": 2.0, "suv": 1.0, "hatchback+suv": 0.5, "estate+van": 0.5}
    other = dict(reversed(one.items()))
    drawn = [draw_style(one, seed) for seed in range(200)]
    assert drawn == [draw_style(other, seed) for seed in range(200)]
    assert set(drawn) == set(one)


def test_any_is_its_shares_written_out() -> None:
    shuffled = dict(sorted(SHARES.items()))
    assert all(draw_style("any", seed) == draw_style(shuffled, seed) for seed in range(100))
