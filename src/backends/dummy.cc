namespace octavo { int dummy_backends; }
