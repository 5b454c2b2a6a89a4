namespace octavo { int dummy_graph; }
