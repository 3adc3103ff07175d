import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.data import transforms
from vestige.data.transforms import (
    Compose,
    GaussianNoise,
    HorizontalFlip,
    Identity,
    Mirror,
    RandomCrop,
    Shift,
)

IMAGES = torch.arange(5 * 2 * 6 * 7, dtype=torch.float32).reshape(5, 2, 6, 7) + 1


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def crop_of_padded(image, dy, dx, mode):
    """The slow twin: pad all around, then cut out."""
    reach = 5
    kind = {"mode": "reflect"} if mode == "reflect" else {"mode": "constant"}
    padded = functional.pad(image[None], (reach,) * 4, **kind)[0]
    height, width = image.shape[-2:]
    return padded[:, reach - dy : reach - dy + height, reach - dx : reach - dx + width]


@given(
    steps=st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=5, max_size=5),
    mode=st.sampled_from(transforms.PADDINGS),
)
def test_shifted_agrees_with_padding_and_cutting(steps, mode):
    dy, dx = torch.tensor(steps).T
    found = transforms.shifted(IMAGES, dy, dx, mode)
    expected = torch.stack(
        [crop_of_padded(image, *step, mode) for image, step in zip(IMAGES, steps, strict=True)]
    )
    assert torch.equal(found, expected)


def test_shift_moves_down_and_right():
    moved = Shift(1, 2)(IMAGES)
    assert torch.equal(moved[..., 1:, 2:], IMAGES[..., :-1, :-2])
    assert torch.equal(Shift(1, 2, mirror=True)(IMAGES), Shift(1, 2)(IMAGES.flip(-1)))
    assert torch.equal(Shift(0, 0)(IMAGES), IMAGES)


def test_mirror_is_its_own_inverse():
    assert torch.equal(Mirror()(Mirror()(IMAGES)), IMAGES)
    assert torch.equal(Mirror()(IMAGES)[..., 0], IMAGES[..., -1])


def test_flip_at_certain_probabilities():
    assert torch.equal(HorizontalFlip(0.0)(IMAGES, stream()), IMAGES)
    assert torch.equal(HorizontalFlip(1.0)(IMAGES, stream()), IMAGES.flip(-1))


def test_flip_mirrors_whole_images_at_its_rate():
    images = IMAGES[:1].expand(4000, -1, -1, -1)
    flipped = HorizontalFlip(0.3)(images, stream())
    is_flipped = (flipped == IMAGES.flip(-1)[:1]).flatten(1).all(1)
    is_same = (flipped == IMAGES[:1]).flatten(1).all(1)
    assert bool((is_flipped ^ is_same).all())
    assert abs(is_flipped.float().mean() - 0.3) < 5 * (0.21 / 4000) ** 0.5


def test_crop_draws_every_shift_equally_often():
    point = torch.zeros(9000, 1, 11, 11)
    point[:, :, 5, 5] = 1
    cropped = RandomCrop(1, "zero")(point, stream())
    counts = cropped.sum((0, 1))[4:7, 4:7].flatten()
    assert counts.sum() == 9000
    assert (counts - 1000).abs().max() < 5 * (1000 * 8 / 9) ** 0.5


def test_noise_has_its_deviation():
    noise = GaussianNoise(0.5)(torch.ones(200, 300), stream()) - 1
    assert abs(noise.std().item() - 0.5) < 0.005
    assert abs(noise.mean().item()) < 0.01


@pytest.mark.parametrize("name", transforms.TRANSFORMS)
def test_a_stream_repeats_and_leaves_the_batch_alone(name):
    transform, before = transforms.by_name(name), IMAGES.clone()
    first, again, other = (transform(IMAGES, stream(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert first.shape == IMAGES.shape
    assert torch.equal(IMAGES, before)
    assert name == "none" or not torch.equal(first, other)


@pytest.mark.parametrize("name", transforms.TRANSFORMS)
def test_the_global_stream_is_not_touched(name):
    state = torch.get_rng_state()
    transforms.by_name(name)(IMAGES, stream())
    assert torch.equal(torch.get_rng_state(), state)


def test_compose_draws_in_turn():
    generator, twin = stream(3), stream(3)
    both = Compose((HorizontalFlip(), RandomCrop(2)))(IMAGES, generator)
    assert torch.equal(both, RandomCrop(2)(HorizontalFlip()(IMAGES, twin), twin))


def test_bytes_keep_their_type():
    images = IMAGES.to(torch.uint8)
    for name in ("none", "flip", "crop", "flip-crop"):
        assert transforms.by_name(name)(images, stream()).dtype == torch.uint8


@pytest.mark.parametrize(("name", "count"), [("none", 1), ("flip", 2), ("crop", 9), ("flip-crop", 18)])
def test_queries_are_distinct_and_start_with_the_sample(name, count):
    views = [view(IMAGES) for view in transforms.queries(name)]
    assert len(views) == len({v.numpy().tobytes() for v in views}) == count
    assert torch.equal(views[0], IMAGES)
    assert all(v.shape == IMAGES.shape for v in views)


def test_transforms_have_a_content_hash():
    hashes = {content_hash(t) for t in (*transforms.TRANSFORMS.values(), RandomCrop(2), HorizontalFlip(0.1))}
    assert len(hashes) == len(transforms.TRANSFORMS) + 2
    assert content_hash(transforms.queries("flip-crop")) != content_hash(transforms.queries("crop"))
    assert Identity() == Identity()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HorizontalFlip(1.5), "probability=1.5"),
        (lambda: RandomCrop(0), "padding=0"),
        (lambda: RandomCrop(4, "wrap"), "mode='wrap'"),
        (lambda: GaussianNoise(0.0), "std=0.0"),
        (lambda: transforms.by_name("filp"), "did you mean flip"),
        (lambda: transforms.queries("crp"), "did you mean crop"),
        (lambda: RandomCrop(6)(IMAGES[:, :, :2], stream()), "too far"),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("transform", [HorizontalFlip(), RandomCrop()])
def test_tables_are_refused_in_words(transform):
    table = torch.from_numpy(np.zeros((3, 4), np.float32))
    with pytest.raises(InputError, match=r"a sample has shape \(4,\)"):
        transform(table, stream())
