namespace octavo { int dummy_quantize; }
