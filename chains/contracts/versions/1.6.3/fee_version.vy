# pragma version 0.4.3
# Which fee quoter is compiled: FeeQuoter 1.6.3, which knows the TVM family and has extra arguments of their own for the
# Sui family. The build puts this folder, or its sibling, on the import path.

IS_1_6_3: constant(bool) = True
TYPE_AND_VERSION: constant(String[32]) = "FeeQuoter 1.6.3"
