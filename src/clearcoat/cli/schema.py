"""`clearcoat schema`: print the JSON Schema of a scene spec."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a scene spec, for editors that complete and check YAML."""
    import json

    from clearcoat.generation import SceneSpec

    schema = SceneSpec.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["extends"] = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        "description": "Other specs, relative to this one, that this one adds to; later ones win.",
    }
    # What this one lacks, others may give it.
    required = schema.pop("required", [])
    schema["anyOf"] = [{"required": ["extends"]}, {"required": required}]
    click.echo(json.dumps(schema, indent=2))
