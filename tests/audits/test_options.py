from pathlib import Path

import pytest

from vestige.audits.options import Options, from_toml
from vestige.audits.presets import checkpoint_epochs
from vestige.core.errors import InputError


def write(tmp_path, text):
    path = tmp_path / "audit.toml"
    path.write_text(text)
    return path


def test_a_config_file_holds_options(tmp_path):
    path = write(tmp_path, 'dataset = "digits"\nmodels = 8\nlr = 1\nattack = ["loss"]\nout = "runs/a"\n')
    assert from_toml(path) == Options(
        dataset="digits", models=8, lr=1.0, attack=("loss",), out=tmp_path / "runs/a"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = 3", "model=3 in audit.toml must be str"),
        ("modelz = 3", "did you mean model"),
        ("models = 1", "models=1 must be at least 2"),
        ("models = true", "models=True in audit.toml must be int"),
        ("models = ", "is not TOML"),
        ('design = "odd"', "design='odd' must be one of"),
    ],
)
def test_bad_config_files_are_refused_by_name(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        from_toml(write(tmp_path, text))


def test_a_missing_config_file_is_named():
    with pytest.raises(InputError, match=r"config=nowhere.toml cannot be read"):
        from_toml(Path("nowhere.toml"))


def test_given_options_win_over_the_file():
    assert Options(models=8, seed=3).merged({"models": 16, "seed": None}) == Options(models=16, seed=3)


@pytest.mark.parametrize("epochs", [1, 2, 3, 11, 12, 13, 40, 500])
@pytest.mark.parametrize("count", [None, 2, 5, 12])
def test_checkpoints_run_from_the_start_to_the_end(epochs, count):
    found = checkpoint_epochs(epochs, count)
    assert found[0] == 0
    assert found[-1] == epochs
    assert list(found) == sorted(set(found))
    assert len(found) == min(count or 12, epochs + 1)
