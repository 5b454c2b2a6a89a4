#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <string_view>
#include <utility>

#include "input_statistics.h"
#include "octavo/calibrate.h"
#include "octavo/core/bytes.h"
#include "octavo/core/hash.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "value_statistics.h"

namespace octavo {
namespace {

using calibration::OperatorInputs;

// docs/calibration.md describes the form byte for byte.
constexpr std::string_view kMagic = "OCTAVOST";
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kEqualized = 1;
constexpr std::uint32_t kWithInputs = 2;
constexpr std::size_t kChecksumBytes = 8;

std::uint64_t checksum(std::span<const std::byte> bytes) {
  core::Hash hash;
  hash.bytes(bytes);
  return hash.value();
}

class Writer {
 public:
  std::vector<std::byte> write(const Calibration& calibration) {
    raw(kMagic);
    out_.u32(kVersion);
    out_.u32((calibration.equalized ? kEqualized : 0) | (calibration.with_inputs ? kWithInputs : 0));
    header(calibration);
    out_.u32(static_cast<std::uint32_t>(calibration.channel_maxima.size()));
    for (const auto& [name, maxima] : calibration.channel_maxima) {
      text(name);
      out_.u32(static_cast<std::uint32_t>(maxima.size()));
      for (const float maximum : maxima) out_.f32(maximum);
    }
    out_.u32(static_cast<std::uint32_t>(calibration.values.size()));
    for (const auto& [name, value] : calibration.values) {
      text(name);
      write(value);
    }
    if (calibration.with_inputs) {
      const auto& operators = calibration.inputs.state().operators;
      out_.u32(static_cast<std::uint32_t>(operators.size()));
      for (const auto& [name, inputs] : operators) {
        text(name);
        write(inputs);
      }
    }
    out_.u64(checksum(bytes_));
    return std::move(bytes_);
  }

 private:
  void raw(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void text(std::string_view text) {
    out_.u32(static_cast<std::uint32_t>(text.size()));
    raw(text);
  }
  void f64(double value) { out_.u64(std::bit_cast<std::uint64_t>(value)); }

  void header(const Calibration& calibration) {
    out_.u64(calibration.keys.model);
    out_.u64(calibration.keys.graph);
    out_.u64(calibration.keys.data);
    text(calibration.keys.model_name);
    text(calibration.keys.data_name);
    text(calibration.keys.preprocess);
    out_.u64(calibration.all_samples);
    out_.u64(calibration.share.index);
    out_.u64(calibration.share.count);
    out_.u64(calibration.positions);
    out_.u64(calibration.done);
    out_.u64(calibration.samples);
    out_.u32(static_cast<std::uint32_t>(calibration.bad_files.size()));
    for (const std::string& file : calibration.bad_files) text(file);
  }

  void write(const ValueStatistics& value) {
    out_.u32(static_cast<std::uint32_t>(value.axis + 1));
    out_.u32(static_cast<std::uint32_t>(value.tensors.size()));
    for (const TensorStatistics& tensor : value.tensors) tensor.save(out_);
    text(value.observer);
    out_.u64(value.state.size());
    bytes_.insert(bytes_.end(), value.state.begin(), value.state.end());
    out_.u32(static_cast<std::uint32_t>(value.shown.size()));
    for (const std::string& name : value.shown) text(name);
  }

  void write(const OperatorInputs& inputs) {
    f64(inputs.moments.rows);
    out_.u32(static_cast<std::uint32_t>(inputs.moments.blocks.size()));
    for (const Eigen::MatrixXf& block : inputs.moments.blocks) {
      out_.u32(static_cast<std::uint32_t>(block.rows()));
      for (Eigen::Index j = 0; j < block.cols(); ++j) {
        for (Eigen::Index i = j; i < block.rows(); ++i) out_.f32(block(i, j));
      }
    }
    f64(inputs.sums.count);
    out_.u32(static_cast<std::uint32_t>(inputs.sums.sums.size()));
    for (const double sum : inputs.sums.sums) f64(sum);
  }

  std::vector<std::byte> bytes_;
  core::ByteWriter out_{bytes_};
};

/// Every count is held against the bytes that are left before anything is made room for.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), in_(bytes), name_(name) {}

  Calibration read() {
    Calibration calibration;
    header(calibration);
    maxima(calibration);
    values(calibration);
    if (calibration.with_inputs) operators(calibration);
    if (!in_.complete()) fail("holds bytes behind its end");
    return calibration;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorCode::bad_data,
                fmt::format("{}: is no sound calibration file: {}, at byte {}; make it again with `octavo calibrate`",
                            name_, what, bytes_.size() - in_.left()));
  }
  void require(bool sound, std::string_view otherwise) const {
    if (!sound) fail(otherwise);
  }

  /// A number of things that take at least `each` bytes.
  std::size_t count(std::size_t each) {
    const std::uint32_t count = in_.u32();
    require(count <= in_.left() / each, "a count is beyond the file's end");
    return count;
  }
  std::vector<std::byte> blob(std::uint64_t size) {
    require(size <= in_.left(), "ends too early");
    const auto found = bytes_.subspan(bytes_.size() - in_.left(), static_cast<std::size_t>(size));
    in_ = core::ByteReader(bytes_.subspan(bytes_.size() - in_.left() + static_cast<std::size_t>(size)));
    return {found.begin(), found.end()};
  }
  std::string text() {
    const auto bytes = blob(in_.u32());
    std::string text;
    for (const std::byte byte : bytes) text.push_back(static_cast<char>(byte));
    return text;
  }
  double f64() { return std::bit_cast<double>(in_.u64()); }
  double amount() {
    const double value = f64();
    require(std::isfinite(value) && value >= 0.0, "an amount is no number from 0");
    return value;
  }
  /// Names come in ascending order, each once.
  template <typename Map>
  auto& entry(Map& map) {
    std::string name = text();
    require(map.empty() || map.rbegin()->first < name, "names are not in order");
    return map[std::move(name)];
  }

  void header(Calibration& calibration) {
    blob(kMagic.size());
    const std::uint32_t version = in_.u32();
    if (version != kVersion) fail(fmt::format("is of version {}, and {} is known", version, kVersion));
    const std::uint32_t flags = in_.u32();
    require(flags <= (kEqualized | kWithInputs), "has unknown flags");
    calibration.equalized = (flags & kEqualized) != 0;
    calibration.with_inputs = (flags & kWithInputs) != 0;
    calibration.keys.model = in_.u64();
    calibration.keys.graph = in_.u64();
    calibration.keys.data = in_.u64();
    calibration.keys.model_name = text();
    calibration.keys.data_name = text();
    calibration.keys.preprocess = text();
    calibration.all_samples = in_.u64();
    calibration.share.index = in_.u64();
    calibration.share.count = in_.u64();
    calibration.positions = in_.u64();
    calibration.done = in_.u64();
    calibration.samples = in_.u64();
    const Share& share = calibration.share;
    require(share.index >= 1 && share.index <= share.count, "its share does not exist");
    require(calibration.done <= calibration.positions && calibration.positions <= calibration.all_samples &&
                calibration.samples <= calibration.done,
            "its numbers of samples contradict each other");
    const std::size_t files = count(4);
    for (std::size_t i = 0; i < files; ++i) calibration.bad_files.push_back(text());
  }

  void maxima(Calibration& calibration) {
    const std::size_t values = count(8);
    for (std::size_t v = 0; v < values; ++v) {
      auto& maxima = entry(calibration.channel_maxima);
      maxima.resize(count(4));
      for (float& maximum : maxima) {
        maximum = in_.f32();
        require(maximum >= 0.0F && std::isfinite(maximum), "a maximum is no number from 0");
      }
    }
  }

  void values(Calibration& calibration) {
    const std::size_t values = count(28);
    for (std::size_t v = 0; v < values; ++v) {
      ValueStatistics& value = entry(calibration.values);
      const std::uint32_t axis = in_.u32();
      require(axis <= kMostAxis, "an axis is too large");
      value.axis = static_cast<int>(axis) - 1;
      const std::size_t tensors = count(kLeastStatistics);
      for (std::size_t i = 0; i < tensors; ++i) {
        TensorStatistics& tensor = value.tensors.emplace_back(calibration::bins_for(value.axis));
        require(tensor.load(in_), "statistics of a value are broken");
      }
      value.observer = text();
      value.state = blob(in_.u64());
      const std::size_t shown = count(4);
      for (std::size_t i = 0; i < shown; ++i) value.shown.push_back(text());
    }
  }

  void operators(Calibration& calibration) {
    calibration.inputs = InputStatistics(std::make_shared<InputStatistics::State>());
    const std::size_t operators = count(28);
    for (std::size_t o = 0; o < operators; ++o) {
      OperatorInputs& inputs = entry(calibration.inputs.state().operators);
      inputs.moments.rows = amount();
      const std::size_t blocks = count(8);
      for (std::size_t b = 0; b < blocks; ++b) inputs.moments.blocks.push_back(block());
      inputs.sums.count = amount();
      inputs.sums.sums.resize(count(8));
      for (double& sum : inputs.sums.sums) sum = f64();
    }
  }

  Eigen::MatrixXf block() {
    const std::size_t size = in_.u32();
    require(size >= 1 && size <= calibration::kLargestBlock, "a block of moments has an impossible size");
    require(size * (size + 1) / 2 <= in_.left() / 4, "ends too early");
    const auto rows = static_cast<Eigen::Index>(size);
    Eigen::MatrixXf block = Eigen::MatrixXf::Zero(rows, rows);
    for (Eigen::Index j = 0; j < rows; ++j) {
      for (Eigen::Index i = j; i < rows; ++i) block(i, j) = in_.f32();
    }
    return block;
  }

  static constexpr std::uint32_t kMostAxis = 64;
  static constexpr std::size_t kLeastStatistics = 32;

  std::span<const std::byte> bytes_;
  core::ByteReader in_;
  const std::string& name_;
};

}  // namespace

std::vector<std::byte> calibration_bytes(const Calibration& calibration) { return Writer().write(calibration); }

Calibration parse_calibration(std::span<const std::byte> bytes, const std::string& name) {
  const auto refuse = [&](std::string_view what) {
    throw Error(ErrorCode::bad_data, fmt::format("{}: {}", name, what));
  };
  const auto magic = std::as_bytes(std::span(kMagic.data(), kMagic.size()));
  if (bytes.size() < magic.size() || !std::equal(magic.begin(), magic.end(), bytes.begin())) {
    refuse("is no calibration file, such as `octavo calibrate` writes");
  }
  if (bytes.size() < magic.size() + kChecksumBytes) refuse("is cut short; make it again with `octavo calibrate`");
  const auto content = bytes.first(bytes.size() - kChecksumBytes);
  if (core::ByteReader(bytes.last(kChecksumBytes)).u64() != checksum(content)) {
    refuse("is damaged or cut short: its checksum does not fit; make it again with `octavo calibrate`");
  }
  return Reader(content, name).read();
}

void save_calibration(const Calibration& calibration, const std::filesystem::path& path) {
  write_whole(path, calibration_bytes(calibration));
}

Calibration load_calibration(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::is_regular_file(path, error) ? std::filesystem::file_size(path, error) : 0;
  std::ifstream file(path, std::ios::binary);
  if (error || !file || !std::filesystem::is_regular_file(path, error)) {
    throw Error(ErrorCode::io, fmt::format("{}: cannot be opened as a calibration file", path.string()));
  }
  std::vector<std::byte> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (static_cast<std::size_t>(file.gcount()) != bytes.size()) {
    throw Error(ErrorCode::io, fmt::format("{}: cannot be read to its end", path.string()));
  }
  return parse_calibration(bytes, path.string());
}

}  // namespace octavo
