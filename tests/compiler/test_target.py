from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from support.spiking_networks import chain

from snnc.backends.netx.reader import read
from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError
from snnc.compiler.options import CompileOptions
from snnc.compiler.target import LOIHI, find_target


def test_the_default_has_a_name_of_its_own() -> None:
    assert find_target(CompileOptions().target) is find_target("loihi") is LOIHI
    assert LOIHI.name == "loihi2"
    with pytest.raises(SnncError, match="allowed: loihi1, loihi2"):
        find_target("loihi3")


@pytest.mark.parametrize("name", ["loihi", "loihi2"])
def test_files_may_have_either_name(tmp_path: Path, name: str) -> None:
    write(chain(), path := tmp_path / "net.h5")
    with h5py.File(path, "r+") as file:
        assert file.attrs["target"] == b"loihi2"
        file.attrs["target"] = np.bytes_(name)
    assert read(path).target is LOIHI
