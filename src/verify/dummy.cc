namespace octavo { int dummy_verify; }
