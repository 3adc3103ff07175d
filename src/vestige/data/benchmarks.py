"""The benchmark data sets of the field: their official files, and the readers that turn them into data sets.

Each is the official training part; Location30, Purchase100 and Texas100 have no official split.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vestige.core.errors import InputError
from vestige.data import bits, cifar, idx
from vestige.data.dataset import Dataset, Normalization
from vestige.data.official import Archive, Gzip, Part, obtain

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
CIFAR10_MD5 = (
    "5dd7e06a14cb22eb9f671a540d1b7c25",
    "5ea93a67294ea407fff1d09f752e9692",
    "942cd6a4bcdd0dd3c604fbe906cb4421",
    "ae636b3ba5c66a11e91e8cb52e771fcb",
    "53f37980c15c3d472c316c40844f3f0d",
)
SHOKRI = "https://github.com/privacytrustlab/datasets/raw/master"
KRIZHEVSKY = "https://www.cs.toronto.edu/~kriz"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A published data set.

    samples: of the part that is audited. Where neither size nor checksum of a file is published
    (Purchase100, Texas100) only its form is checked, and a shorter file is read as it is.
    """

    name: str
    samples: int
    shape: tuple[int, ...]
    classes: int
    parts: tuple[Part, ...]
    origin: Archive | Gzip
    read: Callable[[list[Path], "Benchmark"], Dataset]
    normalization: Normalization | None = None
    class_names: tuple[str, ...] = ()

    def load(self, root: Path) -> Dataset:
        """The data set from its verified files below `root`, downloaded where they are missing."""
        paths = obtain(self.name, self.parts, self.origin, root)
        dataset = self.read(paths, self)
        if dataset.shape != self.shape:
            raise InputError(
                f"{paths[0]}: samples have shape {dataset.shape}, expected {self.shape}; fetch it again"
            )
        return dataset

    def is_present(self, root: Path) -> bool:
        """Whether all files are below `root`."""
        return all(part.find(root) for part in self.parts)


def _read_idx(paths: list[Path], benchmark: Benchmark) -> Dataset:
    images, labels = idx.read_pair(paths[0], paths[1])
    return Dataset(
        images, labels, benchmark.classes, benchmark.name, benchmark.normalization, benchmark.class_names
    )


def _read_cifar(paths: list[Path], benchmark: Benchmark) -> Dataset:
    label_bytes = 1 if benchmark.classes == 10 else 2
    images, labels = cifar.read(paths, label_bytes, benchmark.classes)
    names = benchmark.class_names or cifar.class_names(paths[0].parent / "fine_label_names.txt")
    return Dataset(images, labels, benchmark.classes, benchmark.name, benchmark.normalization, names)


def _read_labeled_bits(paths: list[Path], benchmark: Benchmark) -> Dataset:
    inputs, labels = bits.read_labeled(paths[0])
    return Dataset(inputs, labels, benchmark.classes, benchmark.name)


def _read_texas(paths: list[Path], benchmark: Benchmark) -> Dataset:
    return Dataset(
        bits.read_unlabeled(paths[0]), bits.read_labels(paths[1]), benchmark.classes, benchmark.name
    )


def _idx_parts(
    folders: tuple[str, ...], plain: tuple[str, str], compressed: tuple[str, str]
) -> tuple[Part, ...]:
    names, sizes = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), (47_040_016, 60_008)
    return tuple(
        Part(name=n, folders=folders, size=s, checksum=f"md5:{p}", gz_checksum=f"md5:{c}")
        for n, s, p, c in zip(names, sizes, plain, compressed, strict=True)
    )


CIFAR10 = Benchmark(
    name="cifar10",
    samples=50_000,
    shape=(3, 32, 32),
    classes=10,
    parts=tuple(
        Part(
            name=f"data_batch_{i}.bin",
            folders=("cifar-10-batches-bin", "."),
            size=30_730_000,
            checksum=f"md5:{md5}",
        )
        for i, md5 in enumerate(CIFAR10_MD5, 1)
    ),
    origin=Archive(
        url=f"{KRIZHEVSKY}/cifar-10-binary.tar.gz",
        checksum="md5:c32a1d4ab5d03f1284b67883e8d87530",
    ),
    read=_read_cifar,
    normalization=Normalization((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    class_names=CIFAR10_CLASSES,
)
CIFAR100 = Benchmark(
    name="cifar100",
    samples=50_000,
    shape=(3, 32, 32),
    classes=100,
    parts=(Part(name="train.bin", folders=("cifar-100-binary", "."), size=153_700_000),),
    origin=Archive(
        url=f"{KRIZHEVSKY}/cifar-100-binary.tar.gz",
        checksum="md5:03b5dce01913d631647c71ecec9e9cb8",
    ),
    read=_read_cifar,
    normalization=Normalization((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
)
MNIST = Benchmark(
    name="mnist",
    samples=60_000,
    shape=(1, 28, 28),
    classes=10,
    parts=_idx_parts(
        ("MNIST/raw", "MNIST", "mnist"),
        ("6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624"),
        ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432"),
    ),
    origin=Gzip(url="https://ossci-datasets.s3.amazonaws.com/mnist"),
    read=_read_idx,
    normalization=Normalization((0.1307,), (0.3081,)),
    class_names=tuple("0123456789"),
)
FASHION_MNIST = Benchmark(
    name="fashion_mnist",
    samples=60_000,
    shape=(1, 28, 28),
    classes=10,
    parts=_idx_parts(
        ("FashionMNIST/raw", "FashionMNIST", "fashion_mnist", "fashion-mnist"),
        ("f4a8712d7a061bf5bd6d2ca38dc4d50a", "9018921c3c673c538a1fc5bad174d6f9"),
        ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe"),
    ),
    origin=Gzip(url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"),
    read=_read_idx,
    normalization=Normalization((0.2860,), (0.3530,)),
    class_names=FASHION_CLASSES,
)
LOCATION30 = Benchmark(
    name="location30",
    samples=5_010,
    shape=(446,),
    classes=30,
    parts=(
        Part(
            name="bangkok",
            folders=("location", "."),
            checksum="sha256:2ca8f7fc231251e089823e44d39f2d1eed124574cc351c7f80368cfe631dd718",
        ),
    ),
    origin=Archive(url=f"{SHOKRI}/dataset_location.tgz"),
    read=_read_labeled_bits,
)
PURCHASE100 = Benchmark(
    name="purchase100",
    samples=197_324,
    shape=(600,),
    classes=100,
    parts=(Part(name="dataset_purchase", folders=("purchase", ".")),),
    origin=Archive(url=f"{SHOKRI}/dataset_purchase.tgz"),
    read=_read_labeled_bits,
)
TEXAS100 = Benchmark(
    name="texas100",
    samples=67_330,
    shape=(6_169,),
    classes=100,
    parts=tuple(Part(name=n, folders=("texas/100", "texas", "texas100", "100")) for n in ("feats", "labels")),
    origin=Archive(url=f"{SHOKRI}/dataset_texas.tgz"),
    read=_read_texas,
)
BENCHMARKS = {b.name: b for b in (CIFAR10, CIFAR100, MNIST, FASHION_MNIST, LOCATION30, PURCHASE100, TEXAS100)}
