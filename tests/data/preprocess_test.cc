#include <catch2/catch.hpp>
#include <limits>

#include "fixtures.h"

using namespace octavo;
using namespace octavo::test;

namespace {

InputSpec input_of(std::vector<std::int64_t> dims) { return {"data", DType::f32, std::move(dims)}; }

Tensor preprocessed(const Preprocess& preprocess, std::vector<std::int64_t> dims) {
  const CompletedPreprocess completed = complete_preprocess(preprocess, input_of(std::move(dims)));
  return preprocess_image(decode_image(golden("decode/rgb8.png")), completed);
}

void check_equal(const Tensor& found, const std::string& name) {
  const Tensor expected = read_npy(golden("preprocess/" + name + ".npy"));
  REQUIRE(found.shape() == expected.shape());
  const auto a = found.data<float>();
  const auto b = expected.data<float>();
  CHECK(std::equal(a.begin(), a.end(), b.begin()));
}

Failure completing(const Preprocess& preprocess, std::vector<std::int64_t> dims) {
  return failure_of([&] { complete_preprocess(preprocess, input_of(std::move(dims))); });
}

}  // namespace

TEST_CASE("preprocessing equals PIL and NumPy's f32 to the bit") {
  Preprocess squeezenet;
  squeezenet.order = ChannelOrder::bgr;
  squeezenet.mean = {104, 117, 123};
  check_equal(preprocessed(squeezenet, {1, 3, 18, 20}), "squeezenet");

  Preprocess efficientnet;
  efficientnet.crop_fraction = 0.875;
  efficientnet.interpolation = Interpolation::bicubic;
  efficientnet.mean = {127};
  efficientnet.std = {128};
  check_equal(preprocessed(efficientnet, {1, 3, 16, 16}), "efficientnet");

  Preprocess imagenet;
  imagenet.pixel_range = {0, 1};
  imagenet.mean = {.485, .456, .406};
  imagenet.std = {.229, .224, .225};
  check_equal(preprocessed(imagenet, {1, 8, 8, 3}), "imagenet_nhwc");

  Preprocess crop;
  crop.resize_short = 16;
  check_equal(preprocessed(crop, {-1, 3, 15, 13}), "short_crop");
  check_equal(preprocessed({}, {1, 1, 10, 12}), "grey");
}

TEST_CASE("a grey picture feeds all channels of a colour model") {
  const CompletedPreprocess completed = complete_preprocess({}, input_of({1, 3, 4, 4}));
  const Tensor tensor = preprocess_image({4, 4, 1, std::vector<std::uint8_t>(16, 9)}, completed);
  REQUIRE(tensor.shape() == Shape{1, 3, 4, 4});
  for (const float value : tensor.data<float>()) CHECK(value == 9.0F);
}

TEST_CASE("TNN's scale multiplies after the mean") {
  Preprocess preprocess;
  preprocess.mean = {1, 2, 3};
  preprocess.scale = {0.5, 2, 4};
  const CompletedPreprocess completed = complete_preprocess(preprocess, input_of({1, 3, 1, 1}));
  const Tensor tensor = preprocess_image({1, 1, 3, {11, 22, 33}}, completed);
  CHECK(tensor.data<float>()[0] == 5.0F);
  CHECK(tensor.data<float>()[1] == 40.0F);
  CHECK(tensor.data<float>()[2] == 120.0F);
}

TEST_CASE("integer inputs are rounded half to even and clamped") {
  Preprocess preprocess;
  preprocess.scale = {0.5};
  preprocess.mean = {10};
  const CompletedPreprocess completed = complete_preprocess(preprocess, input_of({1, 1, 1, 3}));
  const Image image{3, 1, 1, {15, 13, 0}};
  const Tensor u8 = preprocess_image(image, completed, DType::u8);
  CHECK(std::vector<int>(u8.data<std::uint8_t>().begin(), u8.data<std::uint8_t>().end()) == std::vector<int>{2, 2, 0});
  const Tensor i64 = preprocess_image(image, completed, DType::i64);
  CHECK(i64.data<std::int64_t>()[2] == -5);
  CHECK(failure_of([&] { preprocess_image(image, completed, DType::f16); }).code == ErrorCode::unsupported);
}

TEST_CASE("center_crop puts zeros around what is smaller") {
  Preprocess preprocess;
  preprocess.center_crop = {4, 2};
  const CompletedPreprocess completed = complete_preprocess(preprocess, input_of({1, 1, 2, 4}));
  const Tensor tensor = preprocess_image({1, 3, 1, {1, 2, 3}}, completed);
  const std::vector<float> expected = {0, 1, 0, 0, 0, 2, 0, 0};
  CHECK(std::equal(expected.begin(), expected.end(), tensor.data<float>().begin(), tensor.data<float>().end()));
}

TEST_CASE("what is missing comes from the input's shape and is said") {
  const CompletedPreprocess nchw = complete_preprocess({}, input_of({1, 3, 227, 226}));
  CHECK(nchw.preprocess.resize == std::pair(226, 227));
  CHECK(nchw.preprocess.layout == Layout::nchw);
  REQUIRE(nchw.notes.size() == 1);
  CHECK(nchw.notes[0] == "resize to 226x227 (bilinear), the size of input 'data' [1,3,227,226]");

  const CompletedPreprocess nhwc = complete_preprocess({}, input_of({-1, 96, 64, 3}));
  CHECK(nhwc.preprocess.layout == Layout::nhwc);
  CHECK(nhwc.preprocess.resize == std::pair(64, 96));

  const CompletedPreprocess grey = complete_preprocess({}, input_of({1, 28, 28}));
  CHECK(grey.channels == 1);

  Preprocess sized;
  sized.resize = {32, 24};
  CHECK(complete_preprocess(sized, input_of({-1, 3, -1, -1})).notes.empty());
}

TEST_CASE("a preprocessing that contradicts the input is refused") {
  Preprocess resize;
  resize.resize = {32, 24};
  CHECK(completing(resize, {1, 3, 24, 32}).code == ErrorCode::ok);
  CHECK(completing(resize, {1, 3, 32, 24}).says("resize 32x24 contradicts input 'data' [1,3,32,24]"));
  CHECK(completing({}, {1, 3, -1, -1}).says("--resize"));
  CHECK(completing({}, {4, 3, 8, 8}).says("batch of 4"));
  CHECK(completing({}, {1, 128}).says("takes no pictures"));
  CHECK(completing({}, {1, 12, 8, 8}).says("12 channels"));
  CHECK(completing({}, {1, 3, 0, 8}).says("no size"));
  Preprocess both = resize;
  both.resize_short = 8;
  CHECK(completing(both, {1, 3, 24, 32}).code == ErrorCode::invalid_argument);
  Preprocess layout;
  layout.layout = Layout::nhwc;
  CHECK(completing(layout, {1, 3, 24, 32}).says("32 channels as NHWC"));
}

TEST_CASE("values out of range are refused") {
  const auto refused = [](auto change) {
    Preprocess preprocess;
    change(preprocess);
    return completing(preprocess, {1, 3, 8, 8}).code == ErrorCode::invalid_argument;
  };
  CHECK(refused([](Preprocess& p) { p.crop_fraction = 0; }));
  CHECK(refused([](Preprocess& p) { p.crop_fraction = std::numeric_limits<double>::quiet_NaN(); }));
  CHECK(refused([](Preprocess& p) { p.crop_fraction = 1.01; }));
  CHECK(refused([](Preprocess& p) { p.mean = {1, 2}; }));
  CHECK(refused([](Preprocess& p) { p.mean = {1e300}; }));
  CHECK(refused([](Preprocess& p) { p.std = {0}; }));
  CHECK(refused([](Preprocess& p) { p.std = {1e-60}; }));
  CHECK(refused([](Preprocess& p) { p.pixel_range = {1, 1}; }));
  CHECK(refused([](Preprocess& p) { p.resize = {0, 8}; }));
  CHECK(refused([](Preprocess& p) { p.resize_short = 1 << 20; }));
}

TEST_CASE("a picture too narrow for its short side is a limit, not a crash") {
  Preprocess preprocess;
  preprocess.resize_short = 16000;
  preprocess.center_crop = {8, 8};
  const CompletedPreprocess completed = complete_preprocess(preprocess, input_of({1, 3, 8, 8}));
  const Image narrow{30000, 1, 1, std::vector<std::uint8_t>(30000)};
  CHECK(failure_of([&] { preprocess_image(narrow, completed); }).code == ErrorCode::resource_limit);
}
