#!/usr/bin/env python3
"""The runs of the `sweep` benchmark by scikit-learn, in a pool of as many processes as there are cores.

Usage: peers.py [--dataset iris|digits] [--hidden 16] [--epochs 10] [--cells 500] [--rounds 5]

Needs scikit-learn (Debian: python3-sklearn). As there: adam, batches of 32, 70 % of the rows to train on, the test rows scored at the end.
"""
import argparse
import os

# a process a core, each on one thread
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import multiprocessing
import time
import warnings

import sklearn
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

DATA = {"iris": load_iris, "digits": load_digits}


def train(run):
    dataset, hidden, epochs, activation, seed = run
    warnings.filterwarnings("ignore")
    x, y = DATA[dataset](return_X_y=True)
    a, b, ya, yb = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    scaler = StandardScaler().fit(a)
    net = MLPClassifier(hidden, activation=activation, max_iter=epochs, batch_size=32, random_state=seed)
    net.fit(scaler.transform(a), ya)
    return net.score(scaler.transform(b), yb)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dataset", default="iris", choices=DATA)
    parser.add_argument("--hidden", default="16")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    hidden = tuple(int(width) for width in options.hidden.split(","))
    runs = [(options.dataset, hidden, options.epochs, activation, seed)
            for seed in range(options.cells // 2) for activation in ("relu", "tanh")]
    with multiprocessing.Pool() as pool:
        pool.map(train, runs[:8])
        for _ in range(options.rounds):
            begin = time.perf_counter()
            pool.map(train, runs)
            seconds = time.perf_counter() - begin
            print(f"scikit-learn {sklearn.__version__}: {len(runs)} runs in {seconds:.2f} s, {len(runs) / seconds:.0f} runs/s", flush=True)
