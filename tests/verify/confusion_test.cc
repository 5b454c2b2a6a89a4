#include "confusion.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;
using verify::Confusion;
using verify::Mask;

namespace {

/// Scores of three classes for pixels of one row, class by class.
Tensor scores(const std::vector<float>& values) {
  return Tensor::from<float>({1, 3, 1, static_cast<std::int64_t>(values.size() / 3)}, std::span(values));
}

std::filesystem::path mask_file(const std::string& name, Shape shape, const std::vector<std::int64_t>& classes) {
  const auto folder = std::filesystem::temp_directory_path() / ("octavo_masks_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  write_npy(Tensor::from<std::int64_t>(std::move(shape), std::span(classes)), folder / name);
  return folder / name;
}

}  // namespace

TEST_CASE("mIoU is the mean over classes of intersection by union, over all pictures") {
  // Pixels:            0    1    2    3     found: 0, 1, 1, 2
  const Tensor output = scores({3, 0, 0, 0,  //
                                1, 2, 5, 0,  //
                                0, 1, 1, 9});
  Confusion confusion;
  confusion.add(Mask{1, 4, {0, 0, 1, 2}}, output, {}, "a");
  // class 0: 1 of 2; class 1: 1 of 2; class 2: 1 of 1
  CHECK(confusion.accuracy()->mean_iou == Approx((0.5 + 0.5 + 1.0) / 3));
  CHECK(confusion.accuracy()->pixels == 0.75);
  Confusion other;
  other.add(Mask{1, 4, {2, 2, 2, 2}}, output, {}, "b");
  confusion.add(other);
  // class 0: 1 of 3; class 1: 1 of 4; class 2: 2 of 5
  CHECK(confusion.accuracy()->mean_iou == Approx((1.0 / 3 + 1.0 / 4 + 2.0 / 5) / 3));
  CHECK(confusion.accuracy()->pixels == 0.5);
}

TEST_CASE("ignored labels, and those beyond the classes, count for nothing") {
  const Tensor output = scores({3, 0, 0, 0, 1, 2, 5, 0, 0, 1, 1, 9});
  MaskOptions options;
  options.classes = 2;  // the third score is not looked at: the last pixel is of class 0, the first of equals
  Confusion confusion;
  confusion.add(Mask{1, 4, {0, 1, 255, 0}}, output, options, "a");
  CHECK(confusion.accuracy()->pixels == 1.0);
  confusion.add(Mask{1, 4, {7, -1, 2, 255}}, output, options, "b");
  CHECK(confusion.accuracy()->pixels == 1.0);
  CHECK(confusion.accuracy()->mean_iou == 1.0);
  options.ignored = 1;
  Confusion without;
  without.add(Mask{1, 4, {0, 1, 1, 1}}, output, options, "c");
  CHECK(without.accuracy()->mean_iou == 1.0);
  CHECK_FALSE(Confusion().accuracy());
}

TEST_CASE("a class that nobody has is no class, one found wrongly is") {
  MaskOptions options;
  Confusion confusion;
  confusion.add(Mask{1, 2, {0, 0}}, scores({1, 0, 0, 1, 0, 0}), options, "a");  // found 0 and 1, never 2
  CHECK(confusion.accuracy()->mean_iou == Approx((0.5 + 0.0) / 2));
}

TEST_CASE("outputs of classes are taken as they are, what is no segmentation is refused") {
  const std::vector<std::int64_t> found{0, 1, 1};
  MaskOptions options;
  options.classes = 2;
  Confusion confusion;
  confusion.add(Mask{1, 3, {0, 1, 0}}, Tensor::from<std::int64_t>({1, 1, 3}, std::span(found)), options, "a");
  CHECK(confusion.accuracy()->pixels == Approx(2.0 / 3));
  const Tensor row = uniform_tensor({1, 3}, 1);
  CHECK(error_of([&] { confusion.add(Mask{1, 3, {0, 1, 0}}, row, options, "a"); }) == ErrorCode::invalid_argument);
  CHECK(error_of([&] { confusion.add(Mask{1, 2, {0, 1}}, scores({1, 2, 3}), options, "a"); }) == ErrorCode::bad_data);
  options.classes = 4;
  CHECK(error_of([&] {
          confusion.add(Mask{1, 1, {0}}, scores({1, 2, 3}), options, "a");
        }) == ErrorCode::invalid_argument);
}

TEST_CASE("compare counts masks for both graphs, whatever the number of threads") {
  const Graph reference = parse_graph("graph opset 13 { input x: f32[1,3,1,4] y = Identity(x) output y }");
  const Graph changed = parse_graph("graph opset 13 { input x: f32[1,3,1,4] y = Neg(x) output y }");
  const MemorySource data(
      {{scores({3, 0, 0, 0, 1, 2, 5, 0, 0, 1, 1, 9})}, {scores({0, 9, 9, 0, 5, 0, 0, 5, 1, 1, 1, 1})}});
  VerifyOptions options;
  options.masks.files = {mask_file("a.npy", {1, 4}, {0, 1, 1, 2}), {}};
  for (const int threads : {1, 3}) {
    options.threads = threads;
    const Comparison comparison = compare(reference, changed, data, options);
    CHECK(comparison.masked == 1);
    CHECK(comparison.float_masks->mean_iou == 1.0);
    CHECK(comparison.quantized_masks->mean_iou == 0.0);
  }
  options.masks.files = {mask_file("small.npy", {1, 3}, {0, 1, 1}), {}};
  CHECK(error_of([&] { compare(reference, changed, data, options); }) == ErrorCode::bad_data);
  options.masks.files.pop_back();
  CHECK(error_of([&] { compare(reference, changed, data, options); }) == ErrorCode::invalid_argument);
}

TEST_CASE("masks belong to samples by path") {
  const MemorySource data(std::vector<std::vector<Tensor>>(2));  // sample0 sample1
  const auto masks = masks_for(data, {{"sample1", -1, "m.png"}});
  CHECK(masks == std::vector<std::filesystem::path>{{}, "m.png"});
  CHECK(error_of([&] { masks_for(data, {{"sample1", -1, "m.png"}, {"sample0", 3, {}}}); }) == ErrorCode::bad_data);
  CHECK(error_of([&] { labels_for(data, {{"sample1", -1, "m.png"}}); }) == ErrorCode::bad_data);
}
