import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.core.record import content_hash, plain
from vestige.data import transforms
from vestige.data.transforms import (
    Compose,
    Cutout,
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
        (lambda: Cutout(0), "size=0"),
        (lambda: GaussianNoise(0.1, low=1.0, high=0.0), "low=1.0 must be below high=0.0"),
        (lambda: GaussianNoise(0.0), "std=0.0"),
        (lambda: transforms.by_name("filp"), "did you mean flip"),
        (lambda: transforms.queries("crp"), "did you mean crop"),
        (lambda: RandomCrop(6)(IMAGES[:, :, :2], stream()), "too far"),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("transform", [HorizontalFlip(), RandomCrop(), RandomCrop(9, "zero"), Cutout(2)])
def test_tables_are_refused_in_words(transform):
    table = torch.from_numpy(np.zeros((3, 4), np.float32))
    with pytest.raises(InputError, match=r"a sample has shape \(4,\)"):
        transform(table, stream())


def squares(images):
    """Rows and columns of what is cut out of images of ones."""
    return [
        (np.flatnonzero((image == 0).any(1)), np.flatnonzero((image == 0).any(0))) for image in images[:, 0]
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9, 40])
def test_cutout_is_one_square_clipped_at_the_rim(size):
    height, width = 6, 9
    cut = Cutout(size)(torch.ones(500, 2, height, width), stream()).numpy()
    assert (cut[:, 0] == cut[:, 1]).all()
    for image, (rows, columns) in zip(cut[:, 0], squares(cut), strict=True):
        assert (image[np.ix_(rows, columns)] == 0).all()
        assert (image == 0).sum() == len(rows) * len(columns)
        for found, side in ((rows, height), (columns, width)):
            assert list(found) == list(range(found[0], found[-1] + 1))
            assert len(found) == size or found[0] == 0 or found[-1] == side - 1
            assert len(found) >= min(size, side) - size // 2


def test_the_center_of_a_cutout_is_uniform():
    cut = Cutout(1)(torch.ones(12_000, 1, 4, 3), stream())
    counts = (cut == 0).sum((0, 1)).flatten()
    assert counts.sum() == 12_000
    assert (counts - 1000).abs().max() < 5 * (1000 * 11 / 12) ** 0.5


def test_noise_is_clipped_only_where_asked():
    inputs = torch.rand(50, 40)
    free, clipped, below = (
        GaussianNoise(0.5, low=low, high=high)(inputs, stream())
        for low, high in ((None, None), (0.0, 1.0), (0.0, None))
    )
    assert free.min() < 0
    assert free.max() > 1
    assert torch.equal(clipped, free.clamp(0, 1))
    assert torch.equal(below, free.clamp(min=0))


def test_a_zero_crop_may_leave_the_image():
    gone = RandomCrop(30, "zero")(IMAGES, stream())
    assert gone.shape == IMAGES.shape
    assert (gone.flatten(1) == 0).all(1).any()


def test_unclipped_noise_keeps_its_content_hash():
    assert plain(GaussianNoise(0.1)) == {"type": "GaussianNoise", "std": 0.1}
    assert content_hash(GaussianNoise(0.1, low=0.0)) != content_hash(GaussianNoise(0.1))
