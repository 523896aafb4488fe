"""Files: what is saved comes back, nothing is written over, broken files are told."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pgfast as pg
from pgfast.logging import History

RUN_FILES = ["history.csv", "policy.safetensors", "run.json"]


def trained_policy(hidden=(8,), dtype=np.float32):
    """A policy that has drawn and learnt."""
    policy = pg.SoftmaxPolicy(4, 2, hidden=hidden, dtype=dtype, seed=3)
    pg.train("CartPole-v1", pg.Reinforce(episodes=8), policy=policy, num_envs=8, steps=500)
    assert policy.draws > 0
    return policy


@pytest.fixture(scope="module")
def run():
    """A finished run of some updates."""
    return pg.train("CartPole-v1", "reinforce", seed=4, steps=5_000)


@pytest.fixture
def saved(run, tmp_path):
    """The directory of that run, saved."""
    run.save(tmp_path / "run")
    return tmp_path / "run"


def tree(directory: Path) -> dict[str, bytes | None]:
    """Every path below a directory, hidden ones too, with its content."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }


def write_safetensors(path: Path, tensors: dict[str, tuple[str, list[int], bytes]], metadata):
    """Write a safetensors file by hand: {name: (dtype, shape, bytes)}."""
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def metadata_of(policy) -> dict[str, str]:
    """The metadata that a file of this policy has."""
    return {
        "format": "pgfast-policy-1",
        "kind": type(policy).__name__,
        "config": json.dumps(policy.config()),
        "draws": str(policy.draws),
    }


def tensors_of(policy, name="theta"):
    """θ as `write_safetensors` takes it."""
    dtype = {"float32": "F32", "float64": "F64"}[policy.dtype.name]
    return {name: (dtype, list(policy.theta.shape), policy.theta.tobytes())}


# --- policies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(), (8,), (5, 3)])
def test_a_policy_comes_back(tmp_path, hidden, dtype):
    """θ with ==, dtype, draws and config; and it owns its memory."""
    policy = trained_policy(hidden, dtype)
    policy.save(tmp_path / "p.safetensors")
    back = pg.SoftmaxPolicy.load(tmp_path / "p.safetensors")
    assert type(back) is pg.SoftmaxPolicy
    assert (back.theta == policy.theta).all()
    assert back.dtype == dtype
    assert back.draws == policy.draws
    assert back.config() == policy.config()
    back.theta += 1
    again = pg.SoftmaxPolicy.load(tmp_path / "p.safetensors")
    assert (again.theta == policy.theta).all()


def test_a_state_action_policy_comes_back(tmp_path):
    """The other kind of policy, by a path given as str, in a directory that is made."""
    policy = pg.StateActionSoftmaxPolicy(3, 5, dtype=np.float64, seed=9)
    policy.theta = pg.normal(5, seed=1, dtype=np.float64)
    policy.save(str(tmp_path / "deep" / "er" / "p.safetensors"))
    back = pg.StateActionSoftmaxPolicy.load(str(tmp_path / "deep" / "er" / "p.safetensors"))
    assert (back.theta == policy.theta).all()
    assert back.config() == policy.config()


def test_a_loaded_policy_goes_on_sampling_the_same_numbers(tmp_path):
    """Its draws continue where those of the saved one stood."""
    policy = trained_policy()
    observations = pg.normal((1000, 4), seed=2, dtype=np.float32)
    policy.sample(observations)
    policy.save(tmp_path / "p.safetensors")
    back = pg.SoftmaxPolicy.load(tmp_path / "p.safetensors")
    for _ in range(3):
        assert (back.sample(observations) == policy.sample(observations)).all()
    fresh = pg.SoftmaxPolicy.load(tmp_path / "p.safetensors")
    assert (fresh.sample(observations) != policy.sample(observations)).any()


def test_saving_a_policy_writes_nothing_over(tmp_path):
    """An existing file stays as it is, and nothing is left beside it."""
    policy = trained_policy()
    target = tmp_path / "p.safetensors"
    target.write_text("precious")
    before = tree(tmp_path)
    with pytest.raises(FileExistsError, match=r"save: .*p\.safetensors exists, expected a new"):
        policy.save(target)
    assert tree(tmp_path) == before
    with pytest.raises(FileExistsError):
        policy.save(tmp_path)


def test_saving_a_policy_does_not_write_through_a_link(tmp_path):
    """A link to nowhere is something that exists: it is neither followed nor replaced."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        trained_policy().save(tmp_path / "link")
    assert os.listdir(tmp_path) == ["link"]
    assert (tmp_path / "link").is_symlink()


def test_a_policy_file_is_one_tensor_and_text(tmp_path):
    """Any safetensors reader gets θ and the description; the file holds no more than they take."""
    from safetensors import safe_open

    policy = trained_policy()
    policy.save(tmp_path / "p.safetensors")
    with safe_open(tmp_path / "p.safetensors", framework="numpy") as file:
        assert list(file.keys()) == ["theta"]
        assert (file.get_tensor("theta") == policy.theta).all()
        assert file.metadata() == metadata_of(policy)
    assert os.listdir(tmp_path) == ["p.safetensors"]
    assert (tmp_path / "p.safetensors").stat().st_size < policy.theta.nbytes + 600


def test_a_policy_file_that_is_cut_short_is_told(tmp_path):
    """Every shorter length, from 0 on: a ValueError that names the file."""
    policy = trained_policy(hidden=())
    policy.save(tmp_path / "p.safetensors")
    whole = (tmp_path / "p.safetensors").read_bytes()
    cut = tmp_path / "cut.safetensors"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^load: .*cut\.safetensors"):
            pg.SoftmaxPolicy.load(cut)
    cut.write_bytes(whole + b"\0")
    with pytest.raises(ValueError, match=r"^load: .*cut\.safetensors"):
        pg.SoftmaxPolicy.load(cut)
    cut.write_bytes(whole)
    assert (pg.SoftmaxPolicy.load(cut).theta == policy.theta).all()


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        ("F32", [9], r"theta has shape \(9,\), expected \(10,\)"),
        ("F32", [11], r"theta has shape \(11,\), expected \(10,\)"),
        ("F32", [10, 1], r"theta has shape \(10, 1\), expected \(10,\)"),
        ("F32", [0], r"theta has shape \(0,\), expected \(10,\)"),
        ("F64", [10], "theta: has dtype float64, expected float32"),
        ("F16", [10], "theta: has dtype float16, expected float32"),
        ("I32", [10], "theta: has dtype int32, expected float32"),
        ("BF16", [10], "cut|no policy|does not describe"),
        ("F8_E4M3", [10], "cut|no policy|does not describe"),
    ],
)
def test_a_theta_of_another_shape_or_dtype_is_told(tmp_path, kind, shape, message):
    """A ValueError that names the file and, where NumPy knows the dtype, θ and both shapes."""
    path = tmp_path / "p.safetensors"
    size = {"F64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1}[kind]
    content = b"\0" * (size * int(np.prod(shape)))
    write_safetensors(path, {"theta": (kind, shape, content)}, metadata_of(pg.SoftmaxPolicy(4, 2)))
    with pytest.raises(ValueError, match=rf"^load: .*p\.safetensors.*({message})"):
        pg.SoftmaxPolicy.load(path)


def test_another_kind_of_policy_is_told(tmp_path):
    """`SoftmaxPolicy.load` of a StateActionSoftmaxPolicy names both."""
    pg.StateActionSoftmaxPolicy(2, 3).save(tmp_path / "p")
    with pytest.raises(ValueError, match="holds a StateActionSoftmaxPolicy, not a SoftmaxPolicy"):
        pg.SoftmaxPolicy.load(tmp_path / "p")


def test_foreign_safetensors_are_told(tmp_path):
    """Files of other programs: other tensors, no metadata, another format."""
    from safetensors.numpy import save_file

    policy, path = pg.SoftmaxPolicy(4, 2), tmp_path / "foreign"
    save_file({"weight": np.zeros((2, 3))}, path)
    with pytest.raises(ValueError, match=r"^load: .*foreign is no policy of pgfast"):
        pg.SoftmaxPolicy.load(path)
    save_file({"theta": policy.theta}, path)
    with pytest.raises(ValueError, match=r"^load: .*foreign is no policy of pgfast"):
        pg.SoftmaxPolicy.load(path)
    write_safetensors(path, {**tensors_of(policy), **tensors_of(policy, "z")}, metadata_of(policy))
    with pytest.raises(
        ValueError, match=r"foreign does not describe .* \['theta', 'z'\], expected"
    ):
        pg.SoftmaxPolicy.load(path)
    write_safetensors(
        path, tensors_of(policy), {**metadata_of(policy), "format": "pgfast-policy-2"}
    )
    with pytest.raises(ValueError, match=r"expected the format pgfast-policy-1"):
        pg.SoftmaxPolicy.load(path)
    path.write_bytes(pickle.dumps({"theta": [0.0]}))
    with pytest.raises(ValueError, match=r"^load: .*foreign is no whole safetensors file"):
        pg.SoftmaxPolicy.load(path)


CONFIG = pg.SoftmaxPolicy(4, 2).config()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "Policy"},
        {"kind": "os.system"},
        {"kind": None},
        {"draws": "many"},
        {"draws": "-1"},
        {"draws": None},
        {"config": None},
        {"config": "{"},
        {"config": "[]"},
        {"config": "null"},
        {"config": "{}"},
        {"config": json.dumps({**CONFIG, "actions": 0})},
        {"config": json.dumps({**CONFIG, "hidden": None})},
        {"config": json.dumps({**CONFIG, "hidden": [10**15]})},
        {"config": json.dumps({**CONFIG, "activation": "sin"})},
        {"config": json.dumps({**CONFIG, "dtype": "float16"})},
        {"config": json.dumps({**CONFIG, "dtype": "object"})},
        {"config": json.dumps({**CONFIG, "seed": -1})},
        {"config": json.dumps({**CONFIG, "surprise": 1})},
    ],
    ids=lambda change: " ".join(f"{key}={value}" for key, value in change.items())[:60],
)
def test_a_description_that_fits_no_policy_is_told(tmp_path, change):
    """Metadata that is missing or wrong is a ValueError that names the file."""
    policy, path = pg.SoftmaxPolicy(4, 2), tmp_path / "p.safetensors"
    metadata = {**metadata_of(policy), **change}
    metadata = {name: value for name, value in metadata.items() if value is not None}
    write_safetensors(path, tensors_of(policy), metadata)
    with pytest.raises(ValueError, match=r"^load: .*p\.safetensors"):
        pg.SoftmaxPolicy.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer.mean": None},
        {"normalizer.count": None},
        {"normalizer.mean": np.zeros(3)},
        {"normalizer.mean": np.full(4, np.nan)},
        {"normalizer.squares": np.full(4, -1.0)},
        {"normalizer.count": np.array([0.5])},
        {"normalizer.surprise": np.zeros(4)},
    ],
    ids=lambda change: " ".join(change),
)
def test_a_normalizer_that_is_not_whole_is_told(tmp_path, change):
    """Statistics that are missing, too many, or none that samples could have."""
    from safetensors.numpy import save_file

    policy, path = pg.SoftmaxPolicy(4, 2, normalize_observations=True), tmp_path / "p.safetensors"
    policy.observe(np.random.default_rng(0).normal(size=(10, 4)))
    arrays = {name: array for name, array in policy.arrays().items() if name not in change}
    arrays |= {name: array for name, array in change.items() if array is not None}
    save_file(arrays, path, metadata_of(policy))
    with pytest.raises(ValueError, match=r"^load: .*p\.safetensors does not describe a policy"):
        pg.SoftmaxPolicy.load(path)


@pytest.mark.parametrize(
    "features",
    [
        {"kind": "os.system"},
        {"kind": "PolynomialFeatures"},
        {"kind": "PolynomialFeatures", "observation_size": 3, "degree": 2},
        {"kind": "PolynomialFeatures", "observation_size": 4, "degree": -1},
        [],
        7,
    ],
    ids=repr,
)
def test_features_that_are_none_are_told(tmp_path, features):
    """Of an unknown kind, of other observations, or no description of any."""
    policy = pg.SoftmaxPolicy(4, 2, features=pg.PolynomialFeatures(4, 2))
    path = tmp_path / "p.safetensors"
    config = json.dumps({**policy.config(), "features": features})
    write_safetensors(path, tensors_of(policy), {**metadata_of(policy), "config": config})
    with pytest.raises(ValueError, match=r"^load: .*p\.safetensors does not describe a policy"):
        pg.SoftmaxPolicy.load(path)


def test_a_policy_file_that_is_missing_is_told(tmp_path):
    """Nothing there, or a directory."""
    with pytest.raises(FileNotFoundError, match=r"^load: .*gone is no file, expected a policy"):
        pg.SoftmaxPolicy.load(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match=r"^load: .* is no file, expected a policy"):
        pg.SoftmaxPolicy.load(tmp_path)


# --- runs -----------------------------------------------------------------------------------------


def test_a_run_comes_back(run, saved):
    """Policy with ==, history with ==, and everything that a run tells."""
    back = pg.load(saved)
    assert type(back) is pg.Run
    assert (back.policy.theta == run.policy.theta).all()
    assert back.policy.draws == run.policy.draws
    assert back.policy.config() == run.policy.config()
    for name in set(vars(run)) - {"policy", "history"}:
        assert getattr(back, name) == getattr(run, name), name
        assert type(getattr(back, name)) is type(getattr(run, name)), name
    assert list(back.history) == list(run.history)
    for name in run.history:
        assert (back.history[name] == run.history[name]).all(), name
    assert back.history.rows == run.history.rows


def test_a_solved_run_comes_back(tmp_path):
    """solved_at and stopped are kept; a path may be a str."""
    run = pg.train("CartPole-v1", "reinforce", seed=0)
    assert run.stopped == "solved"
    run.save(str(tmp_path / "run"))
    back = pg.load(str(tmp_path / "run"))
    assert (back.stopped, back.solved_at) == ("solved", run.solved_at)


def test_a_loaded_run_goes_on_being_trained(run, saved):
    """Training goes on from the loaded policy as from the one that was saved."""
    going_on = run.policy.copy()
    back = pg.load(saved).policy
    for policy in (going_on, back):
        pg.train("CartPole-v1", "reinforce", seed=5, steps=3_000, policy=policy)
    assert (back.theta == going_on.theta).all()
    assert (back.theta != run.policy.theta).any()


def test_a_run_without_an_update_comes_back(tmp_path):
    """Interrupted before the first update: an empty history."""
    run = pg.Trainer("CartPole-v1", "npg", seed=1).run
    run.save(tmp_path / "run")
    back = pg.load(tmp_path / "run")
    assert back.stopped == "interrupted"
    assert back.history.rows == []


def test_a_run_with_settings_of_ones_own_comes_back(tmp_path):
    """A baseline function is told by its name; numbers of NumPy are numbers."""

    def halves(returns, valid):
        return 0.5 * returns

    algorithm = pg.Reinforce(episodes=np.int64(4), gamma=np.float32(0.5), baseline=halves)
    run = pg.train("CartPole-v1", algorithm, seed=np.int64(3), steps=np.int64(1))
    run.save(tmp_path / "run")
    back = pg.load(tmp_path / "run")
    assert back.settings["baseline"] == "halves"
    assert back.settings["episodes"] == 4
    assert back.settings["gamma"] == 0.5
    assert back.seed == 3


def test_a_run_is_three_files(saved):
    """policy.safetensors, run.json and history.csv, and nothing else, hidden or beside."""
    assert sorted(os.listdir(saved)) == RUN_FILES
    assert os.listdir(saved.parent) == [saved.name]
    description = json.loads((saved / "run.json").read_text())
    assert description["env_id"] == "CartPole-v1"
    assert description["algorithm"] == "reinforce"
    header = (saved / "history.csv").read_text().splitlines()[0]
    assert header.startswith("update,steps,episodes,mean_return,seconds,")


def test_what_is_saved_has_the_permissions_of_any_new_file(run, tmp_path):
    """Files and directory follow the umask: readable where the user lets others read, not else."""
    before = os.umask(0o027)
    try:
        run.save(tmp_path / "run")
        run.policy.save(tmp_path / "p.safetensors")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "run").iterdir()}
    assert modes == dict.fromkeys(RUN_FILES, 0o640)
    assert (tmp_path / "p.safetensors").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o750


def test_saving_a_run_writes_nothing_over(run, saved, tmp_path):
    """A run, other files, a file: all stay as they are, and nothing is left beside them."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = tree(tmp_path)
    with pytest.raises(FileExistsError, match=r"save: .*run already holds a run, expected a new"):
        run.save(saved)
    with pytest.raises(FileExistsError, match=r"save: .*other exists and is not empty"):
        run.save(tmp_path / "other")
    with pytest.raises(FileExistsError, match=r"save: .*file exists"):
        run.save(tmp_path / "file")
    with pytest.raises(OSError, match="link"):
        run.save(tmp_path / "link")
    with pytest.raises(OSError, match="file"):
        run.save(tmp_path / "file" / "run")
    assert tree(tmp_path) == before


def test_a_run_is_saved_to_an_empty_directory(run, tmp_path, monkeypatch):
    """One that exists, by its name or as '.', and parents that do not exist are made."""
    (tmp_path / "empty").mkdir()
    run.save(tmp_path / "empty")
    assert sorted(os.listdir(tmp_path / "empty")) == RUN_FILES
    run.save(tmp_path / "a" / "b" / "c")
    assert sorted(os.listdir(tmp_path / "a" / "b" / "c")) == RUN_FILES
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run.save(".")
    assert sorted(os.listdir(tmp_path / "here")) == RUN_FILES


@pytest.mark.parametrize("broken", ["policy", "description", "history"])
def test_a_save_that_fails_leaves_nothing(run, tmp_path, monkeypatch, broken):
    """Whichever of the three files fails, no half of a run and no temporary file is left."""

    def fail(*_args, **_settings):
        raise OSError("no space left on device")

    if broken == "policy":
        monkeypatch.setattr("pgfast.checkpoint.save", fail)
    elif broken == "description":
        monkeypatch.setattr(json, "dumps", fail)
    else:
        monkeypatch.setattr(History, "to_csv", fail)
    with pytest.raises(OSError, match="no space left"):
        run.save(tmp_path / "run")
    assert tree(tmp_path) == {}
    if broken == "policy":
        with pytest.raises(OSError, match="no space left"):
            run.policy.save(tmp_path / "p.safetensors")
        assert tree(tmp_path) == {}


def test_a_directory_that_cannot_be_written_to_is_told(run, tmp_path):
    """An OSError that names the path; the directory stays as it was."""
    if os.geteuid() == 0:
        locked = Path("/proc/self")  # root may write everywhere but here
    else:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
    with pytest.raises(OSError, match=str(locked)):
        run.save(locked / "run")
    with pytest.raises(OSError, match=str(locked)):
        run.policy.save(locked / "p.safetensors")
    assert not (locked / "run").exists()


@pytest.mark.parametrize("name", RUN_FILES)
def test_a_run_that_lacks_a_file_is_told(saved, name):
    """The message names the directory and the file."""
    (saved / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"load: .*run has no {name}, expected a run"):
        pg.load(saved)


def test_a_directory_without_a_run_is_told(tmp_path):
    """Nothing there, or something else."""
    with pytest.raises(FileNotFoundError, match=r"load: .*gone"):
        pg.load(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match="expected a run"):
        pg.load(tmp_path)


def test_a_run_json_that_is_cut_short_is_told(saved):
    """Every shorter length that ends before the closing brace."""
    whole = (saved / "run.json").read_bytes()
    for length in range(len(whole.rstrip())):
        (saved / "run.json").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^load: .*run does not describe a run"):
            pg.load(saved)


@pytest.mark.parametrize(
    "content", [b"[]", b"null", b"3", b"{}", b'{"seed": 0}', b"\xff\xfe", b"update,steps\n1,2\n"]
)
def test_a_run_json_that_holds_something_else_is_told(saved, content):
    """Other JSON, missing keys, no text."""
    (saved / "run.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"^load: .*run does not describe a run"):
        pg.load(saved)


def test_a_run_json_with_an_unknown_key_is_told(saved):
    """The message has the key."""
    description = json.loads((saved / "run.json").read_text())
    (saved / "run.json").write_text(json.dumps({**description, "surprise": 1}))
    with pytest.raises(ValueError, match=r"does not describe a run.*surprise"):
        pg.load(saved)


def test_a_history_that_is_cut_short_is_told(saved):
    """Cut anywhere but behind a line, it is no history: a number may have lost its digits."""
    whole = (saved / "history.csv").read_bytes()
    lines = {i + 1 for i, byte in enumerate(whole) if byte == ord("\n")}
    taken = []
    for length in set(range(0, len(whole), 7)) - lines - {0}:
        (saved / "history.csv").write_bytes(whole[:length])
        try:
            pg.load(saved)
        except ValueError as error:
            assert str(error).startswith("load: ")  # noqa: PT017  the rest must raise too
        else:
            taken.append(length)
    assert not taken, f"taken for whole although cut at {len(taken)} places"


@pytest.mark.parametrize("extra", ["a,b\n", "1,2,3,4,5,6,7,8,9,10,11,12,13\n", "1,2\n", "\0\n"])
def test_a_history_with_a_broken_line_is_told(saved, extra):
    """A line that is no row of numbers under the header."""
    with (saved / "history.csv").open("a") as file:
        file.write(extra)
    with pytest.raises(ValueError, match=r"^load: .*does not describe a run"):
        pg.load(saved)


def test_history_goes_through_csv():
    """Every float64 comes back with ==; what a row lacks stays lacking, NaN stays NaN."""
    rows = [
        {"steps": 1.0, "mean_return": 0.1 + 0.2, "seconds": 1e-300},
        {"steps": 2.0, "kl": float("nan"), "seconds": float("inf")},
        {"steps": 2.0**53, "mean_return": -1 / 3, "kl": 5e-324},
    ]
    history = History(rows)
    back = History.from_csv(history.to_csv())
    assert back.columns == ["steps", "mean_return", "seconds", "kl"]
    for name in history:
        np.testing.assert_array_equal(back[name], history[name])
    assert "kl" not in back.rows[0]
    assert np.isnan(back.rows[1]["kl"])
    assert History.from_csv(History().to_csv()).rows == []


# --- no code --------------------------------------------------------------------------------------


def test_loading_runs_no_code(saved):
    """Python's own audit sees no unpickling, no compiling and no process while a run is loaded."""
    program = f"""
import sys
import pgfast
pgfast.load({str(saved)!r})  # imports what it needs
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
run = pgfast.load({str(saved)!r})
assert run.policy.theta.any()
assert "open" in seen, "the hook sees nothing"
forbidden = ("pickle", "exec", "compile", "marshal", "os.", "subprocess", "socket", "ctypes")
print([event for event in seen if event.startswith(forbidden) and event != "os.listdir"])
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


def test_a_pickle_in_any_place_is_not_opened(saved, tmp_path):
    """A pickle that would leave a mark leaves none, whichever file it poses as."""

    class Mark:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "mark"),))

    poison = pickle.dumps(Mark())
    for name in RUN_FILES:
        whole = (saved / name).read_bytes()
        (saved / name).write_bytes(poison)
        with pytest.raises(ValueError, match=r"^load: "):
            pg.load(saved)
        (saved / name).write_bytes(whole)
    assert not (tmp_path / "mark").exists()
    pickle.loads(poison)  # it would have
    assert (tmp_path / "mark").exists()


def test_a_policy_that_could_not_be_loaded_is_not_saved(tmp_path):
    class Mine(pg.SoftmaxPolicy):
        pass

    with pytest.raises(TypeError, match="policy is a Mine, expected one of SoftmaxPolicy"):
        Mine(4, 2).save(tmp_path / "policy")
    assert not (tmp_path / "policy").exists()
