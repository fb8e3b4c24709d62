"""Distributions: their limits, their shape, and streams that do not disturb each other."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clearcoat.errors import SpecError
from clearcoat.scene import Distribution, draw, draw_weighted, stream
from clearcoat.scene.distributions import Choice, LogUniform, normal, uniform
from clearcoat.spec import Model
from clearcoat.spec.document import parse, read_text


class Holder(Model):
    x: Distribution = 1.0


def _parsed(distribution: object) -> object:
    return Holder.model_validate({"x": distribution}).x


def _draws(distribution: object, count: int = 2000) -> np.ndarray:
    return np.array([draw(distribution, 7, i, "x") for i in range(count)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("distribution", "reference"),
    [
        (uniform(-2, 6), stats.uniform(-2, 8)),
        (LogUniform(log_uniform=(0.1, 100)), stats.loguniform(0.1, 100)),
        (normal(3, 2), stats.norm(3, 2)),
        (normal(3, 2, 1, 6), stats.truncnorm(-1, 1.5, 3, 2)),
        (_parsed({"log_normal": {"median": 2, "sigma": 0.5}}), stats.lognorm(0.5, scale=2)),
        (
            _parsed({"triangular": [1, 2, 5]}),
            stats.triang(0.25, 1, 4),
        ),
        (
            _parsed({"truncated": {"of": {"log_uniform": [0.1, 1000]}, "min": 1, "max": 10}}),
            stats.loguniform(1, 10),
        ),
        (
            _parsed({"mixture": [{"uniform": [0, 1]}, {"uniform": [0, 2]}], "weights": [0, 1]}),
            stats.uniform(0, 2),
        ),
        # So narrow that drawing again until it fits would take a hundred thousand draws.
        (normal(3, 1e5, 1, 4), stats.uniform(1, 3)),
    ],
)
def test_draws_follow_the_distribution(distribution: object, reference: object) -> None:
    assert stats.kstest(_draws(distribution), reference.cdf).pvalue > 0.01  # type: ignore[attr-defined]


def test_choices_follow_their_weights() -> None:
    drawn = _draws(_parsed({"choice": {24: 3, 50: 1, 85: 0}}))
    assert set(drawn) == {24, 50}
    assert stats.binomtest(int((drawn == 24).sum()), len(drawn), 0.75).pvalue > 0.01


@pytest.mark.parametrize(
    ("distribution", "says"),
    [
        ({"triangular": [3, 2, 5]}, "greater"),
        ({"choice": {24: -1, 35: 2}}, "weights"),
        ({"mixture": [1, 2], "weights": [1]}, "one weight per distribution"),
        ({"truncated": {"of": 1, "min": 3, "max": 2}}, "greater"),
        ({"log_normal": {"median": 2, "sigma": 1, "max": 1}}, "outside its limits"),
        ({"log_normal": {"median": 5500, "sigma": 300}}, "of the logarithm"),
    ],
)
def test_impossible_distributions_are_refused(distribution: object, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        parse(read_text(yaml.safe_dump({"x": distribution}), "x.yaml"), Holder)


def test_a_truncation_that_nothing_passes_is_refused_where_it_stands() -> None:
    text = yaml.safe_dump({"x": {"truncated": {"of": {"uniform": [0, 1]}, "min": 2}}})
    with pytest.raises(SpecError, match="none of 10,000") as caught:
        parse(read_text(text, "x.yaml"), Holder)
    assert "x.yaml:" in str(caught.value.where)


@pytest.mark.parametrize(
    "distribution",
    [
        # Python raises where the exponential is too large, and numpy returns infinity.
        {"log_normal": {"median": 1e308, "sigma": 10}},
        {"uniform": [-1.7e308, 1.7e308]},
    ],
)
def test_a_value_that_no_number_holds_is_named(distribution: object) -> None:
    with pytest.raises(SpecError, match="x: a value was drawn that is not a finite number"):
        _draws(_parsed(distribution), 20)


def test_choices_are_equally_likely() -> None:
    counts = np.unique(_draws(Choice(choice=(1, 2, 5))), return_counts=True)[1]
    assert stats.chisquare(counts).pvalue > 0.01


def test_weights_decide_and_their_order_does_not() -> None:
    weights = {"b": 1.0, "a": 3.0, "never": 0.0}
    drawn = [draw_weighted(stream(0, i, "w"), weights) for i in range(2000)]
    turned = [
        draw_weighted(stream(0, i, "w"), dict(reversed(weights.items()))) for i in range(2000)
    ]
    assert drawn == turned
    assert drawn.count("never") == 0
    assert stats.binomtest(drawn.count("a"), 2000, 0.75).pvalue > 0.01


@given(seed=st.integers(0, 2**63), index=st.integers(0, 2**40), name=st.text(max_size=20))
def test_a_stream_is_a_function_of_seed_index_and_name(seed: int, index: int, name: str) -> None:
    first = stream(seed, index, name).random(3)
    assert np.array_equal(first, stream(seed, index, name).random(3))
    assert not np.array_equal(first, stream(seed, index, name + "!").random(3))
    assert not np.array_equal(first, stream(seed, index + 1, name).random(3))
    assert not np.array_equal(first, stream(seed + 1, index, name).random(3))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x: {unifrm: [1, 2]}", "did you mean 'uniform'?"),
        ("x: {uniform: [3, 2]}", "swap them"),
        ("x: {log_uniform: [0, 2]}", "above zero"),
        ("x: {normal: {mean: 1}}", "'std' is missing"),
        ("x: {normal: {mean: 9, std: 1, max: 5}}", "outside its limits"),
        ("x: {choice: []}", "at least 1 item"),
        ("x: wide", "'wide'"),
        ("x: {uniform: [1, .inf]}", "finite"),
    ],
)
def test_mistakes_are_explained_with_their_line(text: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(read_text("\n" + text, "s.yaml"), Holder)
    assert says in str(caught.value)
    assert str(caught.value.where).startswith("s.yaml:2 (x")
