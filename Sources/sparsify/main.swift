internal import SparseModel

print(Tool.name, Tool.version)
