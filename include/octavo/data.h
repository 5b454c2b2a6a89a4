#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/error.h"

namespace octavo {

/// A decoded picture: 8 bits a channel, interleaved rows, `channels` 1 (grey) or 3 (RGB).
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> pixels;
};

/// Decodes JPEG, PNG or BMP by content. Alpha is dropped, 16 bits become 8, palettes are expanded, CMYK
/// JPEGs are converted; EXIF orientation is ignored, as PIL's open does. Throws Error(bad_data) naming the
/// file, Error(resource_limit) above 2^28 pixels.
Image decode_image(const std::filesystem::path& path);

enum class Interpolation : std::uint8_t {
  nearest,          ///< PIL
  bilinear,         ///< PIL: triangle filter, widened when shrinking (antialias)
  bicubic,          ///< PIL: a = -0.5, widened when shrinking
  opencv_nearest,   ///< cv::INTER_NEAREST
  opencv_bilinear,  ///< cv::INTER_LINEAR
  opencv_bicubic,   ///< cv::INTER_CUBIC, a = -0.75
  opencv_area,      ///< cv::INTER_AREA
};
/// The names the command takes: "bilinear", "opencv-bilinear" …; nothing for an unknown one.
std::optional<Interpolation> interpolation_named(std::string_view name);

enum class ChannelOrder : std::uint8_t { rgb, bgr };
enum class Layout : std::uint8_t { nchw, nhwc };

/// From a picture to a tensor. Order: crop_fraction, resize or resize_short, center_crop, channel order,
/// pixel range, then (x - mean) * scale / std for each channel in the order fed to the model.
struct Preprocess {
  std::optional<double> crop_fraction;            ///< centre square of side int(short side * fraction)
  std::optional<std::pair<int, int>> resize;      ///< width, height; aspect not kept
  std::optional<int> resize_short;                ///< short side to this many pixels, aspect kept
  std::optional<std::pair<int, int>> center_crop; ///< width, height
  Interpolation interpolation = Interpolation::bilinear;
  ChannelOrder order = ChannelOrder::rgb;
  std::optional<Layout> layout;                   ///< nothing: from the model's input shape
  std::pair<double, double> pixel_range = {0.0, 255.0};  ///< what pixels 0 and 255 become
  std::vector<double> mean;                       ///< empty, one, or one a channel
  std::vector<double> scale;
  std::vector<double> std;
};

/// What a model's input wants: filled from the graph, 0 where the model leaves it open.
struct InputSpec {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> dims;  ///< -1 where open
};

/// `preprocess` completed from the input's shape (size, channels, layout), and what was added, in words, for
/// the user to read. Throws Error(invalid_argument) where both contradict each other.
struct CompletedPreprocess {
  Preprocess preprocess;
  int channels = 3;
  std::vector<std::string> notes;
};
CompletedPreprocess complete_preprocess(const Preprocess& preprocess, const InputSpec& input);

/// Applies a completed preprocessing; the result has a leading dimension of 1.
Tensor preprocess_image(const Image& image, const CompletedPreprocess& preprocess, DType dtype = DType::f32);

/// Reads a tensor: .npy (little-endian, C order; f4 f8 i1 u1 i4 i8 …) or .txt (numbers between blanks,
/// commas or newlines). Throws Error(bad_data) naming the file and the place.
Tensor read_npy(const std::filesystem::path& path);
Tensor read_text_tensor(const std::filesystem::path& path);
void write_npy(const TensorView& tensor, const std::filesystem::path& path);

/// Samples by index, each a tensor for every model input. Thread-safe.
class DataSource {
 public:
  virtual ~DataSource() = default;
  virtual std::size_t size() const = 0;
  /// Tensors in the order of the inputs the source was made for. Throws Error(bad_data) naming the file.
  virtual std::vector<Tensor> load(std::size_t index) const = 0;
  /// A name for messages and reports: the file, and the row where a file holds several.
  virtual std::string name(std::size_t index) const = 0;
};

/// Where one model input's samples come from.
struct InputData {
  InputSpec input;
  /// A folder (flat, sorted by name), a single file, or several. An .npy whose first dimension is a
  /// number of samples gives one sample a row.
  std::vector<std::filesystem::path> paths;
  Preprocess preprocess;
};

struct DataOptions {
  bool skip_bad_files = false;
};

/// What was found on opening: notes for the user and files that cannot be used.
struct DataReport {
  std::vector<std::string> notes;
  std::vector<std::string> bad_files;  ///< "path: reason"
};

/// Opens the samples of all inputs; several inputs are paired by order and must have as many samples.
/// Files that cannot be read are listed, in Error(bad_data) or, with skip_bad_files, in `report`.
std::unique_ptr<DataSource> open_data(const std::vector<InputData>& inputs, const DataOptions& options,
                                      DataReport* report = nullptr);

/// A label file: lines `path label`, paths relative to the file; `label` an integer class, or the path of a
/// mask picture or .npy (a path ends in one of these). An .npy of integers labels samples in order.
struct LabelledSample {
  std::filesystem::path path;
  std::int64_t label = -1;
};
std::vector<LabelledSample> read_labels(const std::filesystem::path& path);

}  // namespace octavo
