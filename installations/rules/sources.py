"""Where rules come from: one object's share of the manifest and of a customer's config, each with its path."""

from collections.abc import Iterator
from functools import reduce

import msgspec

from installations.config import ConfigContent, ReadObjectConfig, WriteObjectConfig
from installations.errors import at
from installations.manifest import IntegrationSpec, ManifestField, ReadObject, WriteObject


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was decided about writing one object. Paths begin with ``manifest.`` or ``config.``."""

    object_name: str
    """The provider's name."""
    write: WriteObject
    write_path: str
    read: ReadObject
    """Empty if the manifest reads no such object."""
    read_path: str
    write_config: WriteObjectConfig
    """Empty if the customer made no settings."""
    read_config: ReadObjectConfig

    @property
    def write_config_path(self) -> str:
        """Where the customer's settings for writing stand."""
        return join("config.write.objects", self.object_name)

    @property
    def read_config_path(self) -> str:
        """Where the customer's settings for reading stand."""
        return join("config.read.objects", self.object_name)

    @property
    def inherits(self) -> bool:
        """Whether writes use the mappings of the read object: said by the manifest or by the config."""
        return self.write.inherit_mapping or self.write_config.inherit_mapping is True

    def inherited_fields(self) -> Iterator[tuple[str, ManifestField]]:
        """Walk the fields of the read object, with their paths."""
        yield from indexed(join(self.read_path, "requiredFields"), self.read.required_fields)
        yield from indexed(join(self.read_path, "optionalFields"), self.read.optional_fields)


def gather(spec: IntegrationSpec, content: ConfigContent, written: WriteObject) -> Sources:
    """Collect what concerns one write object of the manifest."""
    name = written.object_name
    reads = spec.read.objects if spec.read else ()
    read_index = next((index for index, each in enumerate(reads) if each.object_name == name), None)
    return Sources(
        object_name=name,
        write=written,
        write_path=f"manifest.write.objects[{_index(spec, name)}]",
        read=ReadObject(object_name=name) if read_index is None else reads[read_index],
        read_path=f"manifest.read.objects[{read_index}]",
        write_config=(content.write.objects if content.write else {}).get(name, WriteObjectConfig(object_name=name)),
        read_config=(content.read.objects if content.read else {}).get(name, ReadObjectConfig(object_name=name)),
    )


def _index(spec: IntegrationSpec, name: str) -> int:
    objects = spec.write.objects if spec.write else ()
    return next(index for index, each in enumerate(objects) if each.object_name == name)


def indexed(path: str, fields: tuple[ManifestField, ...]) -> Iterator[tuple[str, ManifestField]]:
    """Walk a list of the manifest with the path of each entry."""
    return ((f"{path}[{index}]", field) for index, field in enumerate(fields))


def join(path: str, *names: str) -> str:
    """Build the path of a member."""
    return reduce(at, names, path)
