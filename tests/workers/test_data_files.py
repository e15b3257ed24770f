"""Image folders and Parquet files, written by the tests."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from workers.contracts import DataError
from workers.data.imagefolder import ImageFolder
from workers.data.parquet import Parquet

REAL = Path(__file__).parents[3] / "shared" / "data" / "cifar10"


def picture(value: int, *, height: int = 6, width: int = 6) -> NDArray[np.uint8]:
    return np.random.default_rng(value).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def write_folder(root: Path, split: str, **classes: list[int]) -> None:
    for name, values in classes.items():
        (root / split / name).mkdir(parents=True)
        for value in values:
            (root / split / name / f"{value}.png").write_bytes(png(picture(value)))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    write_folder(tmp_path, "train", cat=[1, 2], ant=[3])
    write_folder(tmp_path, "test", cat=[4], ant=[5])
    return tmp_path


FOLDER = ImageFolder(train="train", test="test", size=6)


def test_folder_gives_classes_in_order_and_exact_pixels(folders: Path) -> None:
    images = FOLDER.load("train", folders)
    assert FOLDER.classes(folders) == ("ant", "cat")
    assert images.labels.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(images.pixels, np.stack([picture(v) for v in (3, 1, 2)]))


def test_folder_scales_and_crops_the_centre(tmp_path: Path) -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 200
    for split in ("train", "test"):
        (tmp_path / split / "a").mkdir(parents=True)
        (tmp_path / split / "a" / "x.PNG").write_bytes(png(wide))
    images = ImageFolder(train="train", test="test", size=4, channels=1).load("train", tmp_path)
    assert images.pixels.shape == (1, 4, 4, 1)
    assert images.pixels[0, :, 1:3].min() == 200


def test_folder_fingerprint_follows_content_and_not_place(folders: Path, tmp_path: Path) -> None:
    before = FOLDER.fingerprint(folders)
    (folders / "train").rename(folders / "elsewhere")
    moved = ImageFolder(train="elsewhere", test="test", size=6)
    assert moved.fingerprint(folders) == before
    (folders / "test" / "cat" / "4.png").write_bytes(png(picture(9)))
    assert moved.fingerprint(folders) != before


def test_fingerprint_reads_files_once(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = FOLDER.fingerprint(folders)

    def refuse(*_: object) -> None:
        raise AssertionError("a file was read again")

    monkeypatch.setattr("workers.images.checksums.file_digest", refuse)
    assert FOLDER.fingerprint(folders) == first


def test_folder_errors_say_what_is_expected(folders: Path) -> None:
    with pytest.raises(DataError, match=r"no folder .*missing; it should hold one folder"):
        ImageFolder(train="missing", test="test", size=6).load("train", folders)
    (folders / "test" / "cat" / "broken.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"cannot decode .*broken\.png"):
        FOLDER.load("test", folders)
    write_folder(folders, "test", dog=[6])
    with pytest.raises(DataError, match=r"only one of them has: dog"):
        FOLDER.load("train", folders)
    assert FOLDER.available(folders)
    assert not ImageFolder(train="missing", test="test", size=6).available(folders)


def test_empty_folder_is_an_error(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split / "a").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no images"):
        FOLDER.fingerprint(tmp_path)


def test_limit_takes_a_fixed_part_of_the_train_split_only(folders: Path) -> None:
    some = ImageFolder(train="train", test="test", size=6, limit=2)
    whole = FOLDER.load("train", folders)
    first, second = some.load("train", folders), some.load("train", folders)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert len(first.labels) == 2
    assert all((image == whole.pixels).all(axis=(1, 2, 3)).any() for image in first.pixels)
    assert len(some.load("test", folders).labels) == 2
    with pytest.raises(DataError, match="limit is 0"):
        ImageFolder(train="train", test="test", size=6, limit=0).load("train", folders)


def write_parquet(
    path: Path, images: list[bytes | None], labels: list[int], *, names: list[str] | None = None
) -> None:
    cells = pa.array(
        [{"bytes": content, "path": None} for content in images],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )
    table = pa.table({"image": cells, "label": pa.array(labels, pa.int64())})
    if names:
        info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    pq.write_table(table, path)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    values = [png(picture(v)) for v in range(5)]
    write_parquet(tmp_path / "train.parquet", values[:3], [0, 1, 0], names=["cat", "dog"])
    write_parquet(tmp_path / "test.parquet", values[3:], [1, 0])
    return tmp_path


TABLES = Parquet(train="train.parquet", test="test.parquet")


def test_parquet_gives_exact_pixels_labels_and_names(tables: Path) -> None:
    train, test = TABLES.load("train", tables), TABLES.load("test", tables)
    assert TABLES.classes(tables) == ("cat", "dog")
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 1, 0], [1, 0])
    np.testing.assert_array_equal(test.pixels, np.stack([picture(3), picture(4)]))


def test_parquet_reads_plain_binary_columns_of_any_name(tmp_path: Path) -> None:
    content = png(picture(1))
    table = pa.table({"img": pa.array([content]), "class": pa.array([0], pa.int32())})
    pq.write_table(table, tmp_path / "a.parquet")
    data = Parquet(train="a.parquet", test="a.parquet", image="img", label="class")
    np.testing.assert_array_equal(data.load("train", tmp_path).pixels[0], picture(1))
    assert data.classes(tmp_path) == ("0",)


def test_parquet_joins_folders_and_lists_in_order(tables: Path) -> None:
    folder = tables / "parts"
    folder.mkdir()
    for index in (1, 0):
        write_parquet(folder / f"{index}.parquet", [png(picture(index))], [index])
    joined = Parquet(train="parts", test=("parts/1.parquet", "test.parquet"))
    assert joined.load("train", tables).labels.tolist() == [0, 1]
    assert joined.load("test", tables).labels.tolist() == [1, 1, 0]


def test_parquet_fingerprint_follows_content_and_not_place(tables: Path) -> None:
    before = TABLES.fingerprint(tables)
    (tables / "test.parquet").rename(tables / "other.parquet")
    moved = Parquet(train="train.parquet", test="other.parquet")
    assert moved.fingerprint(tables) == before
    swapped = Parquet(train="other.parquet", test="train.parquet")
    assert swapped.fingerprint(tables) != before


def test_parquet_errors_say_what_is_expected(tables: Path) -> None:
    def fails(message: str, **options: str) -> None:
        data = Parquet(**{"train": "train.parquet", "test": "test.parquet"} | options)
        with pytest.raises(DataError, match=message):
            data.load("train", tables)

    fails(r"no Parquet file at .*nothing", train="nothing")
    fails(r"no column 'picture'; it has image, label", image="picture")
    fails(r"column 'label' .* holds no image in row 0", image="label")
    fails(r"should hold an integer in every row; it is struct", label="image")
    (tables / "text.parquet").write_text("no Parquet")
    fails(r"cannot read .*text\.parquet as Parquet", train="text.parquet")
    write_parquet(tables / "null.parquet", [None], [0])
    fails(r"holds no image in row 0", train="null.parquet")
    write_parquet(tables / "bad.parquet", [png(picture(0)), b"?"], [0, 0])
    fails(r"cannot decode row 1 of the train split", train="bad.parquet")
    write_parquet(tables / "label.parquet", [png(picture(0))], [7], names=["cat", "dog"])
    fails(r"labels from 7 to 7, expected 0 to 1", train="label.parquet")
    write_parquet(tables / "empty.parquet", [], [])
    fails(r"has no rows", train="empty.parquet")
    with pytest.raises(DataError, match="no Parquet file"):
        Parquet(train="nothing", test="nothing").fingerprint(tables)
    assert TABLES.available(tables)
    assert not Parquet(train="nothing", test="nothing").available(tables)


def test_null_labels_are_an_error(tables: Path) -> None:
    image = pa.array([png(picture(0))] * 2)
    pq.write_table(pa.table({"image": image, "label": [0, None]}), tables / "null.parquet")
    with pytest.raises(DataError, match="int64 with 1 empty rows"):
        Parquet(train="null.parquet", test="test.parquet").load("train", tables)


def test_images_of_two_sizes_need_the_option_size(tables: Path) -> None:
    mixed = [png(picture(0)), png(picture(1, height=9, width=7))]
    write_parquet(tables / "mixed.parquet", mixed, [0, 1])
    with pytest.raises(DataError, match=r"7x9 pixels, the first image 6x6; .*'size'"):
        Parquet(train="mixed.parquet", test="test.parquet").load("train", tables)
    sized = Parquet(train="mixed.parquet", test="test.parquet", size=6).load("train", tables)
    assert sized.pixels.shape == (2, 6, 6, 3)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the CIFAR-10 Parquet files beside the project")
def test_real_images_beside_the_project(tmp_path: Path) -> None:
    data = Parquet(train=str(REAL / "test.parquet"), test=str(REAL / "test.parquet"), limit=100)
    images = data.load("test", tmp_path)
    assert images.pixels.shape == (10_000, 32, 32, 3)
    assert np.bincount(images.labels).tolist() == [1000] * 10
    assert data.classes(tmp_path)[3] == "cat"
    assert len(data.load("train", tmp_path).labels) == 100
