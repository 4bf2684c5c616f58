#!/usr/bin/env python3
"""The runs of the `sweep` benchmark by scikit-learn or PyTorch, in a pool of as many processes as there are cores.

Usage: peers.py [--peer scikit-learn|torch] [--dataset iris|digits] [--hidden 16] [--epochs 10] [--cells 500] [--rounds 5]

Needs scikit-learn, and PyTorch for its own (Debian: python3-sklearn, python3-torch). As there: adam, batches of 32, 70 % of the rows to train
on, the test rows scored at the end.
"""
import argparse
import os

# a process a core, each on one thread
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import multiprocessing
import time
import warnings

from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

DATA = {"iris": load_iris, "digits": load_digits}


def split(dataset, seed):
    x, y = DATA[dataset](return_X_y=True)
    a, b, ya, yb = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    scaler = StandardScaler().fit(a)
    return scaler.transform(a), ya, scaler.transform(b), yb


def sklearn_run(run):
    dataset, hidden, epochs, activation, seed = run
    warnings.filterwarnings("ignore")
    a, ya, b, yb = split(dataset, seed)
    net = MLPClassifier(hidden, activation=activation, max_iter=epochs, batch_size=32, random_state=seed)
    return net.fit(a, ya).score(b, yb)


def torch_run(run):
    import torch

    dataset, hidden, epochs, activation, seed = run
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    a, ya, b, yb = (torch.as_tensor(part, dtype=torch.float32 if part.ndim > 1 else torch.int64) for part in split(dataset, seed))
    widths = (a.shape[1], *hidden)
    bend = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[activation]
    layers = [layer for pair in zip(widths, widths[1:]) for layer in (torch.nn.Linear(*pair), bend())]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], int(ya.max()) + 1))
    optimizer, loss = torch.optim.Adam(net.parameters()), torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(a)).split(32):
            optimizer.zero_grad()
            loss(net(a[rows]), ya[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        return float((net(b).argmax(1) == yb).float().mean())


PEERS = {"scikit-learn": sklearn_run, "torch": torch_run}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", default="scikit-learn", choices=PEERS)
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
        pool.map(PEERS[options.peer], runs[:8])
        for _ in range(options.rounds):
            begin = time.perf_counter()
            pool.map(PEERS[options.peer], runs)
            seconds = time.perf_counter() - begin
            print(f"{options.peer}: {len(runs)} runs in {seconds:.2f} s, {len(runs) / seconds:.0f} runs/s", flush=True)
