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

#include "octavo/core/hash.h"
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

/// Decodes JPEG, PNG or BMP by content. The pixels are those of PIL's open().convert("RGB"), to the bit: alpha
/// is dropped, palettes are expanded, CMYK JPEGs are converted, EXIF orientation and colour profiles are
/// ignored; 16 bits become 8 by their high byte (where PIL clips 16-bit grey). Throws Error(bad_data) naming
/// the file where it is broken, cut short or of another kind (damage inside a JPEG included), Error(io) where
/// it cannot be read, Error(resource_limit) above 2^28 pixels or 1 GiB.
Image decode_image(const std::filesystem::path& path);

/// "nearest", "bilinear" and "bicubic" equal Pillow 13's resize to the bit (earlier ones differ by one level for
/// pictures that lose more than twice as many rows as columns). OpenCV's are computed as its portable
/// code does: nearest and area to the bit, bilinear and bicubic within 1 (its vector code rounds otherwise).
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
std::string_view name_of(Interpolation interpolation);
/// All names, in the order help shows them.
std::vector<std::string_view> interpolation_names();

enum class ChannelOrder : std::uint8_t { rgb, bgr };
enum class Layout : std::uint8_t { nchw, nhwc };

/// From a picture to a tensor. Order: crop_fraction, resize or resize_short, center_crop, channel order,
/// pixel range, then (x - mean) * scale / std for each channel in the order fed to the model, in f32 and in
/// this order of operations, so that (0, 1) with mean and std gives torchvision's numbers to the bit. A grey
/// picture feeds all three channels of a model; a colour picture becomes grey (ITU-R 601, as PIL's
/// convert("L")) before anything else where the model wants one channel.
struct Preprocess {
  std::optional<double> crop_fraction;             ///< centre square of side int(short side * fraction)
  std::optional<std::pair<int, int>> resize;       ///< width, height; aspect not kept
  std::optional<int> resize_short;                 ///< short side to this; long side int(this * long / short)
  std::optional<std::pair<int, int>> center_crop;  ///< width, height; torchvision's: zeros around what is smaller
  Interpolation interpolation = Interpolation::bilinear;
  ChannelOrder order = ChannelOrder::rgb;
  std::optional<Layout> layout;                          ///< nothing: from the model's input shape
  std::pair<double, double> pixel_range = {0.0, 255.0};  ///< what pixels 0 and 255 become
  std::vector<double> mean;                              ///< empty, one, or one a channel
  std::vector<double> scale;
  std::vector<double> std;

  friend bool operator==(const Preprocess&, const Preprocess&) = default;
};

/// What a model's input wants: filled from the graph.
struct InputSpec {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> dims;  ///< -1 where open
};

/// `preprocess` completed from the input's shape (size, channels, layout), and what was added, in words, for
/// the user to read: "resize to 227x227 (bilinear), the size of input 'data' [1,3,227,227]". The input has 3 or 4
/// dimensions, 1 or 3 channels and a batch of 1 or open. Throws Error(invalid_argument) where both contradict
/// each other, values are out of range, or no size is known (an open input and no resize).
struct CompletedPreprocess {
  Preprocess preprocess;
  int channels = 3;
  std::vector<std::string> notes;
};
CompletedPreprocess complete_preprocess(const Preprocess& preprocess, const InputSpec& input);

/// Applies a completed preprocessing; the result is [1, C, H, W] or [1, H, W, C]. `dtype` f32 or f64, or an
/// integer type, rounded half to even and clamped to its range. Throws Error(unsupported) for others.
Tensor preprocess_image(const Image& image, const CompletedPreprocess& preprocess, DType dtype = DType::f32);

/// Reads a tensor: .npy (versions 1 to 3, little-endian, C order; b1, i1 to i8, u1 to u8, f2 to f8) or .txt
/// (numbers between blanks, commas or newlines, as a one-dimensional f64). Throws Error(bad_data) naming the
/// file and the place, Error(io) where it cannot be read; sizes are checked against the file's.
Tensor read_npy(const std::filesystem::path& path);
Tensor read_text_tensor(const std::filesystem::path& path);
/// Throws Error(io). Not for bf16, which .npy does not know: Error(unsupported).
void write_npy(const TensorView& tensor, const std::filesystem::path& path);

/// Samples by index, each a tensor for every model input. Thread-safe.
class DataSource {
 public:
  virtual ~DataSource() = default;
  virtual std::size_t size() const = 0;
  /// Tensors in the order of the inputs the source was made for, of the inputs' types, decoded anew on each
  /// call: nothing is kept. Throws Error(bad_data) naming the file, whatever is wrong with it; a caller that
  /// skips bad files catches that, lists what() and goes on with the next index.
  virtual std::vector<Tensor> load(std::size_t index) const = 0;
  /// A name for messages and reports: the path as given, and the row where a file holds several
  /// ("kws/x.npy[17]"). With several inputs, that of the first.
  virtual std::string name(std::size_t index) const = 0;
  /// A number that tells the first `count` samples, as they are fed, from others: of their names here, of what else is
  /// known of them in a source of files.
  virtual std::uint64_t key(std::size_t count) const {
    core::Hash hash;
    for (std::size_t i = 0; i < count; ++i) hash.text(name(i));
    return hash.value();
  }
};

/// Where one model input's samples come from.
struct InputData {
  InputSpec input;
  /// A folder (flat, sorted by name in byte order), a single file, or several, by ending in any case: .jpg
  /// .jpeg .png .bmp are pictures, preprocessed; .npy and .txt are tensors, used as they are but for the
  /// element type. An .npy fits with the input's shape, or without its leading 1 (or others); with a number of
  /// samples before that it gives one sample a row, as it does where it has the input's shape but more than
  /// the input's batch of 1. A .txt has as many numbers as the input has elements. Hidden files, folders
  /// inside and other endings are passed over and counted in the notes.
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

/// Opens the samples of all inputs; several inputs are paired by order and must have as many samples. Opening
/// looks at first bytes and .npy headers only: files bad by these are listed, all of them, in Error(bad_data)
/// or, with skip_bad_files, in `report` (their sample is left out for every input). What shows on decoding
/// comes from load(). Throws Error(bad_data) also where no sample is left, Error(io) for a path that does not
/// exist, and what complete_preprocess throws where there are pictures.
std::unique_ptr<DataSource> open_data(const std::vector<InputData>& inputs, const DataOptions& options,
                                      DataReport* report = nullptr);

/// A label file: lines `path label`, paths relative to the file; `label` an integer class from 0, or the path
/// of a mask picture or .npy (by its ending), relative to the file as well. The path may hold blanks: the label
/// is what follows the last one. Empty lines and lines that begin with # are passed over. An .npy of integers
/// labels samples in order. Throws Error(bad_data) naming file and line.
struct LabelledSample {
  std::filesystem::path path;  ///< the label file's folder and the line's path; empty from an .npy
  std::int64_t label = -1;     ///< -1 where there is a mask
  std::filesystem::path mask;  ///< empty where there is a class
};
std::vector<LabelledSample> read_labels(const std::filesystem::path& path);

}  // namespace octavo
