/* Octavo's C ABI. C99. Nothing here prints, exits, aborts or throws.
 *
 * Threads: any function may be called from any thread. A handle passed as const may be used by several threads
 * at once; one passed without const by one thread at a time. There is no global state and nothing to initialize.
 * Ownership: who is handed an object by `type **` releases it with that type's _release, which takes NULL as well.
 * Arguments stay the caller's and are not kept after the call. Strings are UTF-8 and end with a zero byte.
 * NULL where an argument is wanted is OCTAVO_INVALID_ARGUMENT. */
#ifndef OCTAVO_H
#define OCTAVO_H

/* NOLINTBEGIN(modernize-*): this is C. */
#include <stddef.h>
#include <stdint.h>

#define OCTAVO_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this header, and of the library at run time. Same major number: same ABI. */
#define OCTAVO_VERSION_MAJOR 0
#define OCTAVO_VERSION_MINOR 1
#define OCTAVO_VERSION_PATCH 0
OCTAVO_API uint32_t octavo_version_number(void); /* major * 10000 + minor * 100 + patch */
OCTAVO_API const char* octavo_version_string(void);

/* --- status: NULL is success; anything else belongs to the caller, who releases it ------------------- */
typedef struct octavo_status octavo_status;
enum {
  OCTAVO_OK = 0,
  OCTAVO_INVALID_ARGUMENT = 1, /* an option or argument is out of its range or contradicts another */
  OCTAVO_IO = 2,               /* a file could not be opened, read, written or renamed */
  OCTAVO_BAD_MODEL = 3,        /* a model file is broken, cut short or contradicts itself */
  OCTAVO_UNSUPPORTED = 4,      /* sound, but beyond what Octavo or the chosen backend can do */
  OCTAVO_BAD_DATA = 5,         /* an image, tensor or label file could not be used */
  OCTAVO_RESOURCE_LIMIT = 6,   /* more memory or work than allowed or to be had */
  OCTAVO_CANCELLED = 7,        /* the progress callback asked to stop */
  OCTAVO_INTERNAL = 8          /* a mistake of Octavo's own */
};
OCTAVO_API int32_t octavo_status_code(const octavo_status* status); /* OCTAVO_OK for NULL */
/* Which file, node or value, what was found, what was expected, what to do; "" for NULL. Valid until the status
 * is released. */
OCTAVO_API const char* octavo_status_message(const octavo_status* status);
OCTAVO_API void octavo_status_release(octavo_status* status);

/* --- model: on failure *model is set to NULL --------------------------------------------------------- */
typedef struct octavo_model octavo_model;
/* Files of external data are mapped: they must stay as they are until all models made from this one are released. */
OCTAVO_API octavo_status* octavo_model_open(const char* path, octavo_model** model);
/* `format` is "onnx". The bytes may be freed on return. `base_folder` is where external data lies, or NULL for a
 * model that has none. */
OCTAVO_API octavo_status* octavo_model_open_memory(const void* bytes, size_t size, const char* format,
                                                   const char* base_folder, octavo_model** model);
/* Written whole or not at all. */
OCTAVO_API octavo_status* octavo_model_save(const octavo_model* model, const char* path);
/* What was assumed or left out while the model was made by octavo_quantize, a line each, for people to read; ""
 * where there is nothing to say. Valid until the model is released. */
OCTAVO_API const char* octavo_model_notes(const octavo_model* model);
OCTAVO_API void octavo_model_release(octavo_model* model);

/* Bytes that the library owns until they are released. On failure *buffer is set to NULL. */
typedef struct octavo_buffer octavo_buffer;
OCTAVO_API octavo_status* octavo_model_save_memory(const octavo_model* model, const char* format,
                                                   octavo_buffer** buffer);
OCTAVO_API const void* octavo_buffer_data(const octavo_buffer* buffer); /* NULL for NULL */
OCTAVO_API size_t octavo_buffer_size(const octavo_buffer* buffer);      /* 0 for NULL */
OCTAVO_API void octavo_buffer_release(octavo_buffer* buffer);

/* --- options: the flags that `octavo quantize --help` lists under Recipe, Data, Preprocessing, Method and Run --- */
typedef struct octavo_options octavo_options;
/* On failure *options is set to NULL. */
OCTAVO_API octavo_status* octavo_options_create(octavo_options** options);
/* `key` is a flag without its dashes: "images", "resize", "mean", "threads" ...; `value` is typed as for the
 * command, "", "true" or "false" for a switch such as "bgr", "input_name=value" for one input of several. "config"
 * reads a recipe file (docs/recipe.md), which the other options override whether they are set before or after.
 * "images" and "skip" add up, of other keys the last value counts. "output" is kept for the file's sake and not used
 * here. An unknown key or a value out of range is OCTAVO_INVALID_ARGUMENT and changes nothing. */
OCTAVO_API octavo_status* octavo_options_set(octavo_options* options, const char* key, const char* value);
OCTAVO_API void octavo_options_release(octavo_options* options);

/* --- the main job ------------------------------------------------------------------------------------ */
/* Called on the thread that called octavo_quantize; `total` is 0 where it is not known. A return value other
 * than 0 cancels: the call ends soon with OCTAVO_CANCELLED. `stage` is valid during the call only. */
typedef int32_t (*octavo_progress)(const char* stage, int64_t done, int64_t total, void* user_data);
/* Prepares, plans, calibrates on the options' images and quantizes; `model` stays as it is. `progress` may be
 * NULL and is never called after the return. On failure *quantized is set to NULL. The result is the same to the
 * bit for any number of threads. */
OCTAVO_API octavo_status* octavo_quantize(const octavo_model* model, const octavo_options* options,
                                          octavo_progress progress, void* user_data, octavo_model** quantized);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-*) */
#endif
