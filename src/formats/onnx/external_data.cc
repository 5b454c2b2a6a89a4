#include "onnx/external_data.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "onnx/place.h"

namespace octavo::formats::onnx_file {
namespace {

struct Reference {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

std::uint64_t read_number(const std::string& key, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    bad_model("external data: {} is {}, not a number of bytes", key, shown(text));
  }
  return value;
}

Reference read_reference(const onnx::TensorProto& tensor) {
  Reference reference;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") reference.location = entry.value();
    if (entry.key() == "offset") reference.offset = read_number(entry.key(), entry.value());
    if (entry.key() == "length") reference.length = read_number(entry.key(), entry.value());
  }
  if (reference.location.empty()) bad_model("external data: no location is given");
  if (reference.location.find('\0') != std::string::npos) bad_model("external data: the location has a NUL in it");
  return reference;
}

bool lies_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

}  // namespace

std::shared_ptr<const MappedFile> ExternalData::open(const std::string& location) {
  if (const auto it = files_.find(location); it != files_.end()) return it->second;
  if (folder_.empty()) {
    unsupported("the tensor's data lies in the file {}, but the model was read from memory without a folder",
                shown(location));
  }
  const std::filesystem::path relative(location);
  std::error_code error;
  // Resolves links: a model must not make its reader open what lies outside its folder.
  const auto folder = std::filesystem::canonical(folder_, error);
  const auto path = std::filesystem::canonical(folder_ / relative, error);
  const bool climbs = std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (relative.is_absolute() || climbs || (!error && !lies_inside(path, folder))) {
    bad_model("external data: {} leads out of the model's folder; put the file itself beside the model",
              shown(location));
  }
  if (error) {
    throw Error(ErrorCode::io, fmt::format("external data: {} cannot be opened: {}", shown(location), error.message()));
  }
  const auto file = within([&] { return "external data: " + shown(location); },
                           [&] { return std::make_shared<const MappedFile>(path); });
  mapped_ += file->bytes().size();
  return files_.emplace(location, file).first->second;
}

ExternalBytes ExternalData::find(const onnx::TensorProto& tensor, std::optional<std::uint64_t> expected) {
  const Reference reference = read_reference(tensor);
  const auto file = open(reference.location);
  const std::uint64_t size = file->bytes().size();
  const std::uint64_t left = reference.offset <= size ? size - reference.offset : 0;
  const std::uint64_t length = reference.length.value_or(expected.value_or(left));
  if (reference.offset > size || length > left) {
    bad_model("external data: {} bytes at {} are wanted, but {} has {} bytes", length, reference.offset,
              shown(reference.location), size);
  }
  if (expected && length != *expected) {
    bad_model("external data: its length is {} bytes, but the shape needs {}", length, *expected);
  }
  return {file, file->bytes().subspan(static_cast<std::size_t>(reference.offset), static_cast<std::size_t>(length))};
}

void ExternalData::count_copy(std::uint64_t bytes) {
  constexpr std::uint64_t kMostUses = 4;
  copied_ += bytes;
  if (copied_ / kMostUses > mapped_) {
    throw Error(ErrorCode::resource_limit,
                fmt::format("external data: the tensors are together {} times as large as their files", kMostUses));
  }
}

void embed_external_data(onnx::TensorProto& tensor, ExternalData& external) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
  const ExternalBytes found = external.find(tensor, std::nullopt);
  external.count_copy(found.bytes.size());
  tensor.set_raw_data(found.bytes.data(), found.bytes.size());
  tensor.clear_external_data();
  tensor.clear_data_location();
}

}  // namespace octavo::formats::onnx_file
