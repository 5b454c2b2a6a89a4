namespace octavo { int dummy_kernels; }
