#include "octavo.h"

#include <cstddef>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/quantize.h"
#include "utf8.h"

#define OCTAVO_TEXT_OF(x) #x
#define OCTAVO_TEXT(x) OCTAVO_TEXT_OF(x)
#define OCTAVO_VERSION_TEXT         \
  OCTAVO_TEXT(OCTAVO_VERSION_MAJOR) \
  "." OCTAVO_TEXT(OCTAVO_VERSION_MINOR) "." OCTAVO_TEXT(OCTAVO_VERSION_PATCH)

static_assert(std::string_view(OCTAVO_VERSION_TEXT) == OCTAVO_PROJECT_VERSION,
              "octavo.h and CMakeLists.txt must give the same version");
static_assert(OCTAVO_INVALID_ARGUMENT == static_cast<int>(octavo::ErrorCode::invalid_argument));
static_assert(OCTAVO_IO == static_cast<int>(octavo::ErrorCode::io));
static_assert(OCTAVO_BAD_MODEL == static_cast<int>(octavo::ErrorCode::bad_model));
static_assert(OCTAVO_UNSUPPORTED == static_cast<int>(octavo::ErrorCode::unsupported));
static_assert(OCTAVO_BAD_DATA == static_cast<int>(octavo::ErrorCode::bad_data));
static_assert(OCTAVO_RESOURCE_LIMIT == static_cast<int>(octavo::ErrorCode::resource_limit));
static_assert(OCTAVO_CANCELLED == static_cast<int>(octavo::ErrorCode::cancelled));
static_assert(OCTAVO_INTERNAL == static_cast<int>(octavo::ErrorCode::internal));

struct octavo_status {
  std::int32_t code;
  std::string message;
};
struct octavo_model {
  octavo::Graph graph;
  std::string notes;
};
struct octavo_buffer {
  std::vector<std::byte> bytes;
};
struct octavo_options {
  octavo::RecipeBuilder builder;
};

namespace {

using octavo::Error;
using octavo::ErrorCode;

/// What is handed out where there is no memory for a status either; short enough for std::string not to allocate.
octavo_status* out_of_memory() noexcept {
  static const octavo_status status{OCTAVO_RESOURCE_LIMIT, "out of memory"};
  return const_cast<octavo_status*>(&status);  // read only: octavo_status_release leaves it alone
}

octavo_status* make_status(std::int32_t code, const char* message) noexcept {
  try {
    return new octavo_status{code, octavo::capi::to_utf8(message)};
  } catch (...) {
    return out_of_memory();
  }
}

/// Runs the body of a call; whatever it throws becomes a status.
template <typename Body>
octavo_status* guarded(const Body& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const Error& error) {
    return make_status(static_cast<std::int32_t>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& error) {
    return make_status(OCTAVO_INTERNAL, error.what());
  } catch (...) {
    return make_status(OCTAVO_INTERNAL, "an exception of unknown type");
  }
}

/// The same for a call that makes a `Handle`: NULL where `make` fails.
template <typename Handle, typename Make>
octavo_status* guarded_make(Handle** result, const Make& make) noexcept {
  if (result != nullptr) *result = nullptr;
  return guarded([&] {
    if (result == nullptr) throw Error(ErrorCode::invalid_argument, "the place for the result is NULL");
    std::unique_ptr<Handle> made = make();
    *result = made.release();
  });
}

void require_given(const void* argument, const char* name) {
  if (argument == nullptr) throw Error(ErrorCode::invalid_argument, std::string("argument '") + name + "' is NULL");
}

/// Paths are UTF-8 whatever the system's own encoding.
std::filesystem::path path_from(const char* utf8) {
  const std::string_view text(utf8);
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

octavo::Progress progress_to(octavo_progress callback, void* user_data) {
  if (callback == nullptr) return {};
  return [callback, user_data](const octavo::ProgressEvent& event) {
    return callback(std::string(event.stage).c_str(), event.done, event.total, user_data) == 0;
  };
}

std::string notes_of(const octavo::Quantized& result) {
  std::string text;
  for (const std::string& note : result.notes) text += "note: " + note + '\n';
  for (const std::string& file : result.calibration.bad_files) text += "skipped: " + file + '\n';
  return octavo::capi::to_utf8(text);
}

}  // namespace

extern "C" {

std::uint32_t octavo_version_number() {
  return OCTAVO_VERSION_MAJOR * 10000 + OCTAVO_VERSION_MINOR * 100 + OCTAVO_VERSION_PATCH;
}
const char* octavo_version_string() { return OCTAVO_VERSION_TEXT; }

std::int32_t octavo_status_code(const octavo_status* status) { return status == nullptr ? OCTAVO_OK : status->code; }
const char* octavo_status_message(const octavo_status* status) {
  return status == nullptr ? "" : status->message.c_str();
}
void octavo_status_release(octavo_status* status) {
  if (status != out_of_memory()) delete status;
}

octavo_status* octavo_model_open(const char* path, octavo_model** model) {
  return guarded_make(model, [&] {
    require_given(path, "path");
    return std::make_unique<octavo_model>(octavo_model{octavo::load_model(path_from(path)), {}});
  });
}

octavo_status* octavo_model_open_memory(const void* bytes, std::size_t size, const char* format,
                                        const char* base_folder, octavo_model** model) {
  return guarded_make(model, [&] {
    require_given(bytes, "bytes");
    require_given(format, "format");
    const std::span given(static_cast<const std::byte*>(bytes), size);
    const auto base = base_folder == nullptr ? std::filesystem::path() : path_from(base_folder);
    return std::make_unique<octavo_model>(octavo_model{octavo::load_model(given, format, base), {}});
  });
}

octavo_status* octavo_model_save(const octavo_model* model, const char* path) {
  return guarded([&] {
    require_given(model, "model");
    require_given(path, "path");
    octavo::save_model(model->graph, path_from(path));
  });
}

const char* octavo_model_notes(const octavo_model* model) { return model == nullptr ? "" : model->notes.c_str(); }
void octavo_model_release(octavo_model* model) { delete model; }

octavo_status* octavo_model_save_memory(const octavo_model* model, const char* format, octavo_buffer** buffer) {
  return guarded_make(buffer, [&] {
    require_given(model, "model");
    require_given(format, "format");
    return std::make_unique<octavo_buffer>(octavo_buffer{octavo::model_bytes(model->graph, format)});
  });
}

const void* octavo_buffer_data(const octavo_buffer* buffer) {
  return buffer == nullptr ? nullptr : buffer->bytes.data();
}
std::size_t octavo_buffer_size(const octavo_buffer* buffer) { return buffer == nullptr ? 0 : buffer->bytes.size(); }
void octavo_buffer_release(octavo_buffer* buffer) { delete buffer; }

octavo_status* octavo_options_create(octavo_options** options) {
  return guarded_make(options, [] { return std::make_unique<octavo_options>(); });
}

octavo_status* octavo_options_set(octavo_options* options, const char* key, const char* value) {
  return guarded([&] {
    require_given(options, "options");
    require_given(key, "key");
    require_given(value, "value");
    options->builder.set(key, value);
  });
}

void octavo_options_release(octavo_options* options) { delete options; }

octavo_status* octavo_quantize(const octavo_model* model, const octavo_options* options, octavo_progress progress,
                               void* user_data, octavo_model** quantized) {
  return guarded_make(quantized, [&] {
    require_given(model, "model");
    require_given(options, "options");
    octavo::Quantized result =
        octavo::quantize(model->graph, options->builder.recipe(), progress_to(progress, user_data));
    std::string notes = notes_of(result);
    return std::make_unique<octavo_model>(octavo_model{std::move(result.graph), std::move(notes)});
  });
}

}  // extern "C"
