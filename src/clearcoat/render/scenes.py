"""Mitsuba's scenes of one product: with and without ground, in a light tunnel; and what moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearcoat.render.moving import Movable
from clearcoat.render.surroundings import Surroundings
from clearcoat.render.tunnel import Tunnel
from clearcoat.scene import TunnelSample


class Scenes:
    """The scenes that a renderer draws, each built on first use.

    Args:
        fixed: meshes that never move.
        moving: meshes that may move between images.
        panes: those of all meshes that `unglazed` leaves out.
        surroundings: environment and ground.
        mi: Mitsuba with its variant set.
    """

    def __init__(
        self,
        fixed: Sequence[Any],
        moving: Sequence[Movable],
        panes: Sequence[Any],
        surroundings: Surroundings,
        mi: Any,
    ) -> None:
        self.mi = mi
        self._fixed, self._moving, self._surroundings = fixed, moving, surroundings
        self._panes = {id(pane) for pane in panes}
        self._built: dict[str, Any] = {}
        self._stale: set[str] = set()
        self._tunnel: Tunnel | None = None

    def moved(self) -> None:
        """Say that something has moved: every scene must notice before it is drawn again."""
        self._stale = set(self._built)

    def get(self, kind: str) -> Any:
        """Return the scene `open` (no ground), `ground` or `tunnel` as it now is."""
        self._bring_up_to_date(kind)
        # The environment is placed around the scene that it was told of last: another scene, built
        # in between, would move the far ends of its rays and with them the last bits of a picture.
        self._surroundings.environment.set_scene(self._built[kind])
        return self._built[kind]

    def unglazed(self, *, ground: bool) -> Any:
        """Return the scene without its panes, for rays and not for light."""
        kind = "unglazed ground" if ground else "unglazed open"
        self._bring_up_to_date(kind)
        return self._built[kind]

    def light_tunnel(self, sample: TunnelSample, variation: int) -> None:
        """Light the tubes of the tunnel's scene, which has been got before."""
        if self._tunnel is None:
            raise ValueError("the scene of the tunnel has not been built")
        self._tunnel.show(sample, variation)

    def _bring_up_to_date(self, kind: str) -> None:
        if kind not in self._built:
            self._built[kind] = self._build(kind)
        elif kind in self._stale:
            # A mesh tells one scene that it has moved and is then clean for the others.
            for movable in self._moving:
                movable.touch()
            self._built[kind].parameters_changed([])
        self._stale.discard(kind)

    def _build(self, kind: str) -> Any:
        around = self._surroundings
        shapes = [*self._fixed, *(movable.mesh for movable in self._moving)]
        scene = {"type": "scene"}
        if kind.startswith("unglazed"):
            shapes = [shape for shape in shapes if id(shape) not in self._panes]
        else:
            scene["environment"] = around.environment
        scene |= {f"shape_{i}": shape for i, shape in enumerate(shapes)}
        if kind not in {"open", "unglazed open"}:
            scene["ground"] = around.ground
        if kind == "tunnel":
            self._tunnel = Tunnel(self.mi)
            scene["tunnel"] = self._tunnel.mesh
        return self.mi.load_dict(scene)
