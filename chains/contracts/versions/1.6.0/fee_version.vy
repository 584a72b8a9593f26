# pragma version 0.4.3
# Which fee quoter is compiled: FeeQuoter 1.6.0. The build puts this folder, or its sibling, on the import path;
# branches on IS_1_6_3 leave no trace in the code of the version that does not take them.

IS_1_6_3: constant(bool) = False
TYPE_AND_VERSION: constant(String[32]) = "FeeQuoter 1.6.0"
