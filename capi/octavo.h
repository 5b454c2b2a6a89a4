/* Octavo's C ABI. C99; every function may be called from any thread, one handle by one thread at a time;
 * a const handle may be shared by threads that only read it. Nothing here prints, exits or throws. */
#ifndef OCTAVO_H
#define OCTAVO_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define OCTAVO_API __declspec(dllimport)
#else
#define OCTAVO_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library at run time, and of this header. Same major number: same ABI. */
#define OCTAVO_VERSION_MAJOR 0
#define OCTAVO_VERSION_MINOR 1
#define OCTAVO_VERSION_PATCH 0
OCTAVO_API uint32_t octavo_version_number(void); /* major * 10000 + minor * 100 + patch */
OCTAVO_API const char* octavo_version_string(void);

/* --- status: NULL is success; anything else belongs to the caller, who releases it ------------------- */
typedef struct octavo_status octavo_status;
enum {
  OCTAVO_OK = 0,
  OCTAVO_INVALID_ARGUMENT = 1,
  OCTAVO_IO = 2,
  OCTAVO_BAD_MODEL = 3,
  OCTAVO_UNSUPPORTED = 4,
  OCTAVO_BAD_DATA = 5,
  OCTAVO_RESOURCE_LIMIT = 6,
  OCTAVO_CANCELLED = 7,
  OCTAVO_INTERNAL = 8
};
OCTAVO_API int32_t octavo_status_code(const octavo_status* status); /* OCTAVO_OK for NULL */
/* UTF-8, valid until the status is released: which file, node or value, what was found, what was expected. */
OCTAVO_API const char* octavo_status_message(const octavo_status* status);
OCTAVO_API void octavo_status_release(octavo_status* status); /* NULL is fine */

/* --- model ------------------------------------------------------------------------------------------- */
typedef struct octavo_model octavo_model;
/* On failure *model is set to NULL. Paths are UTF-8. */
OCTAVO_API octavo_status* octavo_model_open(const char* path, octavo_model** model);
/* `format` is "onnx". The bytes are copied where needed; the caller may free them on return. `base_folder`
 * is where external data lies, or NULL for a model that has none. */
OCTAVO_API octavo_status* octavo_model_open_memory(const void* bytes, size_t size, const char* format,
                                                   const char* base_folder, octavo_model** model);
/* Written whole or not at all. */
OCTAVO_API octavo_status* octavo_model_save(const octavo_model* model, const char* path);
OCTAVO_API void octavo_model_release(octavo_model* model);

/* Bytes that the library owns until they are released. */
typedef struct octavo_buffer octavo_buffer;
OCTAVO_API octavo_status* octavo_model_save_memory(const octavo_model* model, const char* format,
                                                   octavo_buffer** buffer);
OCTAVO_API const void* octavo_buffer_data(const octavo_buffer* buffer);
OCTAVO_API size_t octavo_buffer_size(const octavo_buffer* buffer);
OCTAVO_API void octavo_buffer_release(octavo_buffer* buffer);

/* --- options: the command's flags by name, "images" "resize" "mean" "threads" … ---------------------- */
typedef struct octavo_options octavo_options;
OCTAVO_API octavo_status* octavo_options_create(octavo_options** options);
/* An unknown key or a value out of range is OCTAVO_INVALID_ARGUMENT and changes nothing. */
OCTAVO_API octavo_status* octavo_options_set(octavo_options* options, const char* key, const char* value);
OCTAVO_API void octavo_options_release(octavo_options* options);

/* --- the main job ------------------------------------------------------------------------------------ */
/* Called on the thread that called octavo_quantize; `total` is 0 where it is not known. A return value other
 * than 0 cancels: the call ends soon with OCTAVO_CANCELLED. `stage` is valid during the call only. */
typedef int32_t (*octavo_progress)(const char* stage, int64_t done, int64_t total, void* user_data);
/* Prepares, plans, calibrates on the options' images and quantizes; `model` stays as it is. `progress` may be
 * NULL and is never called after the return. */
OCTAVO_API octavo_status* octavo_quantize(const octavo_model* model, const octavo_options* options,
                                          octavo_progress progress, void* user_data, octavo_model** quantized);

#ifdef __cplusplus
}
#endif
#endif
