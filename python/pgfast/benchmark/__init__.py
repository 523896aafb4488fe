"""Measurements: what pgfast does on this machine, beside the machine's limits and its peers.

`pgfast bench` prints them. The benchmarks of the repository (`pytest bench`) time the same works.
"""

ONE_THREAD = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "NUMBA")},
    "PJRT_NPROC": "1",
    "NPROC": "1",
    "JAX_PLATFORMS": "cpu",
}
"""Environment variables that give NumPy's and SciPy's BLAS, PyTorch, Numba and JAX one thread. They
are read when the libraries are loaded, so that a process has to be started with them."""
