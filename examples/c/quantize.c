/* The main job by the C library: a float ONNX model and a folder of pictures in, an int8 model out.
 *
 *   example_c_quantize MODEL IMAGES OUTPUT [KEY=VALUE | SWITCH]...
 *
 * KEY and SWITCH are the flags of `octavo quantize` without their dashes, such as resize=227x227 or bgr. */
#include <octavo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints what went wrong, if anything did, and gives the status back. Returns its code. */
static int32_t report(octavo_status* status) {
  const int32_t code = octavo_status_code(status);
  if (code != OCTAVO_OK) fprintf(stderr, "example: %s\n", octavo_status_message(status));
  octavo_status_release(status);
  return code;
}

/* One line for each stage that was completed. Returning anything but 0 would cancel. */
static int32_t show_progress(const char* stage, int64_t done, int64_t total, void* user_data) {
  (void)user_data;
  if (done == total) fprintf(stderr, "%s: %ld done\n", stage, (long)done);
  return 0;
}

static int32_t set_option(octavo_options* options, const char* argument) {
  const char* equals = strchr(argument, '=');
  const size_t length = equals == NULL ? strlen(argument) : (size_t)(equals - argument);
  char* key = malloc(length + 1);
  int32_t code = OCTAVO_RESOURCE_LIMIT;
  if (key == NULL) return code;
  memcpy(key, argument, length);
  key[length] = '\0';
  code = report(octavo_options_set(options, key, equals == NULL ? "" : equals + 1));
  free(key);
  return code;
}

int main(int argc, char** argv) {
  octavo_model* model = NULL;
  octavo_options* options = NULL;
  octavo_model* quantized = NULL;
  int32_t code = OCTAVO_OK;
  int i;

  if (argc < 4) {
    fprintf(stderr, "usage: %s MODEL IMAGES OUTPUT [KEY=VALUE | SWITCH]...\n", argv[0]);
    return OCTAVO_INVALID_ARGUMENT;
  }
  code = report(octavo_model_open(argv[1], &model));
  if (code == OCTAVO_OK) code = report(octavo_options_create(&options));
  if (code == OCTAVO_OK) code = report(octavo_options_set(options, "images", argv[2]));
  for (i = 4; i < argc && code == OCTAVO_OK; ++i) code = set_option(options, argv[i]);
  if (code == OCTAVO_OK) code = report(octavo_quantize(model, options, show_progress, NULL, &quantized));
  if (code == OCTAVO_OK) code = report(octavo_model_save(quantized, argv[3]));
  if (code == OCTAVO_OK) printf("%sWrote %s\n", octavo_model_notes(quantized), argv[3]);

  octavo_model_release(quantized);
  octavo_options_release(options);
  octavo_model_release(model);
  return code;
}
