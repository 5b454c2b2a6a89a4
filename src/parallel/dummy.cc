namespace octavo { int dummy_parallel; }
