#include <catch2/catch.hpp>

#include "fixtures.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("labels are classes or masks, with paths relative to their file") {
  const TempFolder folder;
  const auto path = folder.write("labels.txt",
                                 "\xEF\xBB\xBF# a comment\r\n"
                                 "eval/a.jpg 0\r\n"
                                 "\n"
                                 "  eval/my cat.jpg\t 281 \n"
                                 "eval/b.png masks/b.PNG\n"
                                 "eval/c.png masks/c.npy");
  const std::vector<LabelledSample> labels = read_labels(path);
  REQUIRE(labels.size() == 4);
  CHECK(labels[0].path == folder / "eval/a.jpg");
  CHECK(labels[0].label == 0);
  CHECK(labels[0].mask.empty());
  CHECK(labels[1].path == folder / "eval/my cat.jpg");
  CHECK(labels[1].label == 281);
  CHECK(labels[2].label == -1);
  CHECK(labels[2].mask == folder / "masks/b.PNG");
  CHECK(labels[3].mask == folder / "masks/c.npy");
}

TEST_CASE("an .npy labels samples in order") {
  const TempFolder folder;
  write_npy(Tensor::from<std::int32_t>({3, 1}, {4, 0, 7}), folder / "y.npy");
  const std::vector<LabelledSample> labels = read_labels(folder / "y.npy");
  REQUIRE(labels.size() == 3);
  CHECK(labels[2].label == 7);
  CHECK(labels[2].path.empty());
  write_npy(Tensor::from<std::int32_t>({2}, {4, -1}), folder / "y.npy");
  CHECK(failure_of([&] { read_labels(folder / "y.npy"); }).says("label -1 of sample 1"));
  write_npy(Tensor::from<float>({2}, {4, 0.5F}), folder / "y.npy");
  CHECK(failure_of([&] { read_labels(folder / "y.npy"); }).code == ErrorCode::bad_data);
  write_npy(Tensor(DType::i64, {2, 2}), folder / "y.npy");
  CHECK(failure_of([&] { read_labels(folder / "y.npy"); }).says("more than one dimension"));
}

TEST_CASE("broken label files name the line") {
  const TempFolder folder;
  const auto reading = [&](const char* text) { return failure_of([&] { read_labels(folder.write("l.txt", text)); }); };
  CHECK(reading("a.jpg 1\nb.jpg").says("line 2: 'b.jpg' has no label"));
  CHECK(reading("a.jpg cat").says("line 1: label 'cat'"));
  CHECK(reading("a.jpg -1").code == ErrorCode::bad_data);
  CHECK(reading("a.jpg 99999999999999999999").code == ErrorCode::bad_data);
  CHECK(reading("a.jpg 1.5").code == ErrorCode::bad_data);
  CHECK(reading("# nothing\n\n").says("holds no labels"));
  CHECK(failure_of([&] { read_labels(folder / "absent.txt"); }).code == ErrorCode::io);
}
