#include <octavo.h>
#include <stdio.h>

int main(int argc, char** argv) {
  octavo_model* model = NULL;
  octavo_status* status = argc == 2 ? octavo_model_open(argv[1], &model) : NULL;
  printf("octavo %s: %s\n", octavo_version_string(), model == NULL ? octavo_status_message(status) : "model opened");
  octavo_status_release(status);
  octavo_model_release(model);
  return model == NULL;
}
