#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "decode.h"
#include "file_bytes.h"
#include "find_files.h"
#include "fit_tensor.h"
#include "npy.h"
#include "octavo/core/names.h"
#include "octavo/data.h"

namespace octavo {
namespace data {
namespace {

constexpr std::size_t kMaxSamples = std::size_t{1} << 26;

struct DataFile {
  std::filesystem::path path;
  FileKind kind = FileKind::other;
  NpyHeader npy;
  Fit fit;          // .npy only
  std::string bad;  // why it cannot be used; such a file counts as one sample until it is left out
};

struct Sample {
  std::uint32_t file = 0;
  std::int64_t row = 0;
};

struct InputFiles {
  InputSpec input;
  CompletedPreprocess preprocess;  // where there are pictures
  std::vector<DataFile> files;
  std::vector<Sample> samples;
};

DataFile inspect_file(const std::filesystem::path& path, const InputSpec& input) {
  DataFile file{path, kind_of(path), {}, {}, {}};
  try {
    if (file.kind == FileKind::picture && !looks_like_picture(read_start(path, kSignatureBytes))) {
      bad_data(path.string(), "neither JPEG, PNG nor BMP by its first bytes");
    }
    if (file.kind == FileKind::text && regular_file_size(path) == 0) bad_data(path.string(), "an empty file");
    if (file.kind == FileKind::npy) {
      file.npy = read_npy_header(path);
      file.fit = fit_shape(file.npy.shape, input, path.string());
    }
  } catch (const Error& error) {
    file.bad = error.what();
    file.fit = {};
  }
  return file;
}

InputFiles open_input(const InputData& data, DataReport& report) {
  InputFiles result{data.input, {}, {}, {}};
  for (const std::filesystem::path& path : find_files(data.paths, report.notes)) {
    result.files.push_back(inspect_file(path, data.input));
    const auto rows = static_cast<std::size_t>(result.files.back().fit.rows);
    if (rows > kMaxSamples - result.samples.size()) {
      throw Error(ErrorCode::resource_limit, fmt::format("{}: more than {} samples", path.string(), kMaxSamples));
    }
    for (std::size_t row = 0; row < rows; ++row) {
      result.samples.push_back({static_cast<std::uint32_t>(result.files.size() - 1), static_cast<std::int64_t>(row)});
    }
  }
  if (result.samples.empty()) bad_data(fmt::format("input '{}'", data.input.name), "no data is given for it");
  const auto is_picture = [](const DataFile& file) { return file.kind == FileKind::picture; };
  const auto pictures = std::count_if(result.files.begin(), result.files.end(), is_picture);
  if (pictures > 0) {
    result.preprocess = complete_preprocess(data.preprocess, data.input);
    report.notes.insert(report.notes.end(), result.preprocess.notes.begin(), result.preprocess.notes.end());
  }
  if (pictures < static_cast<std::ptrdiff_t>(result.files.size()) && !(data.preprocess == Preprocess{})) {
    report.notes.push_back(
        fmt::format("tensors for input '{}' are used as they are: preprocessing is for pictures", data.input.name));
  }
  return result;
}

void check_counts(const std::vector<InputFiles>& inputs) {
  for (const InputFiles& input : inputs) {
    if (input.samples.size() == inputs[0].samples.size()) continue;
    throw Error(ErrorCode::bad_data,
                fmt::format("input '{}' has {} but input '{}' has {}: samples are paired by order, give as "
                            "many for each",
                            inputs[0].input.name, count_of(inputs[0].samples.size(), "sample"), input.input.name,
                            input.samples.size()));
  }
}

void report_bad_files(const std::vector<InputFiles>& inputs, DataReport& report) {
  for (const InputFiles& input : inputs) {
    for (const DataFile& file : input.files) {
      if (!file.bad.empty()) report.bad_files.push_back(file.bad);
    }
  }
}

// Leaves out every sample that has a bad file for one of the inputs.
void drop_bad_samples(std::vector<InputFiles>& inputs) {
  std::vector<bool> bad(inputs[0].samples.size());
  for (const InputFiles& input : inputs) {
    for (std::size_t i = 0; i < bad.size(); ++i) {
      if (!input.files[input.samples[i].file].bad.empty()) bad[i] = true;
    }
  }
  for (InputFiles& input : inputs) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < bad.size(); ++i) {
      if (!bad[i]) input.samples[kept++] = input.samples[i];
    }
    input.samples.resize(kept);
  }
}

Tensor load_sample(const InputFiles& input, const Sample& sample) {
  const DataFile& file = input.files[sample.file];
  const std::string name = file.path.string();
  switch (file.kind) {
    case FileKind::npy: {
      const std::int64_t first = file.fit.by_row ? sample.row * element_count(file.fit.shape) : 0;
      return convert(read_npy_elements(file.path, file.npy, first, file.fit.shape), input.input.dtype, name);
    }
    case FileKind::text: {
      const Tensor numbers = read_text_tensor(file.path);
      return convert(numbers.reshaped(fit_count(numbers.size(), input.input, name)), input.input.dtype, name);
    }
    default: {
      Tensor picture = preprocess_image(decode_image(file.path), input.preprocess, input.input.dtype);
      if (input.input.dims.size() == picture.rank()) return picture;
      return picture.reshaped(Shape(picture.shape().begin() + 1, picture.shape().end()));  // an input without a batch
    }
  }
}

/// Contents of the files whose beginnings are sound, for a list of all that is wrong at once.
void look_into_files(std::vector<InputFiles>& inputs) {
  for (InputFiles& input : inputs) {
    for (std::uint32_t i = 0; i < input.files.size(); ++i) {
      DataFile& file = input.files[i];
      if (!file.bad.empty() || file.kind == FileKind::npy) continue;  // sizes are all that can be wrong with .npy
      try {
        load_sample(input, {i, 0});
      } catch (const Error& error) {
        file.bad = error.what();
      }
    }
  }
}

/// Every setting that a picture's tensor depends on, in words that are the same on every machine.
std::string describe(const CompletedPreprocess& completed) {
  const Preprocess& p = completed.preprocess;
  const auto size = [](const std::optional<std::pair<int, int>>& s) {
    return s ? fmt::format("{}x{}", s->first, s->second) : "-";
  };
  return fmt::format(
      "{} channels, crop {}, resize {}, short {}, center {}, interpolation {}, order {}, layout {}, pixels {} "
      "to {}, mean {}, scale {}, std {}",
      completed.channels, p.crop_fraction.value_or(0.0), size(p.resize), p.resize_short.value_or(0),
      size(p.center_crop), static_cast<int>(p.interpolation), static_cast<int>(p.order),
      p.layout ? static_cast<int>(*p.layout) : -1, p.pixel_range.first, p.pixel_range.second, p.mean, p.scale, p.std);
}

class FileSource final : public DataSource {
 public:
  explicit FileSource(std::vector<InputFiles> inputs) : inputs_(std::move(inputs)) {}

  std::size_t size() const override { return inputs_[0].samples.size(); }

  std::vector<Tensor> load(std::size_t index) const override {
    std::vector<Tensor> tensors;
    try {
      for (const InputFiles& input : inputs_) tensors.push_back(load_sample(input, input.samples.at(index)));
    } catch (const Error& error) {
      // One code for whatever is wrong with a file, so that callers can skip it.
      throw Error(ErrorCode::bad_data, error.what());
    }
    return tensors;
  }

  std::string name(std::size_t index) const override {
    const Sample& sample = inputs_[0].samples.at(index);
    const DataFile& file = inputs_[0].files[sample.file];
    return file.fit.by_row ? fmt::format("{}[{}]", file.path.string(), sample.row) : file.path.string();
  }

  /// Of the files' own names and sizes, wherever their folder is, and of how pictures are preprocessed.
  std::uint64_t key(std::size_t count) const override {
    core::Hash hash;
    for (const InputFiles& input : inputs_) {
      hash.text(input.input.name);
      hash.text(describe(input.preprocess));
      for (std::size_t i = 0; i < std::min(count, input.samples.size()); ++i) {
        const Sample& sample = input.samples[i];
        const std::filesystem::path& path = input.files[sample.file].path;
        hash.text(path.filename().string());
        hash.u64(static_cast<std::uint64_t>(sample.row));
        if (sample.row == 0) hash.u64(regular_file_size(path));
      }
    }
    return hash.value();
  }

 private:
  std::vector<InputFiles> inputs_;
};

}  // namespace
}  // namespace data

std::unique_ptr<DataSource> open_data(const std::vector<InputData>& inputs, const DataOptions& options,
                                      DataReport* report) {
  if (inputs.empty()) throw Error(ErrorCode::invalid_argument, "no inputs to open data for");
  DataReport found;
  std::vector<data::InputFiles> opened;
  for (const InputData& input : inputs) opened.push_back(data::open_input(input, found));
  data::report_bad_files(opened, found);
  if (!found.bad_files.empty() && !options.skip_bad_files) {
    data::look_into_files(opened);
    found.bad_files.clear();
    data::report_bad_files(opened, found);
    throw Error(ErrorCode::bad_data, fmt::format("{} of {} samples cannot be read:\n  {}", found.bad_files.size(),
                                                 opened[0].samples.size(), fmt::join(found.bad_files, "\n  ")));
  }
  data::check_counts(opened);
  if (!found.bad_files.empty()) data::drop_bad_samples(opened);
  if (opened[0].samples.empty()) {
    throw Error(ErrorCode::bad_data, fmt::format("no sample can be read:\n  {}", fmt::join(found.bad_files, "\n  ")));
  }
  if (report != nullptr) *report = std::move(found);
  return std::make_unique<data::FileSource>(std::move(opened));
}

}  // namespace octavo
