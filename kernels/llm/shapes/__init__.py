"""Shapes of language models: what a model file says, its weight matrices and its number of parameters."""

from kernels.llm.shapes.files import FOLDER, from_table, load, names, read
from kernels.llm.shapes.matrices import Matrix, matrices, mtp_matrices
from kernels.llm.shapes.model import ModelShape
from kernels.llm.shapes.parameters import bias_count, mtp_parameter_count, parameter_count
from kernels.llm.shapes.parts import DenseLayers, Indexer, Latent, Recurrent, Source

__all__ = [
    "FOLDER",
    "DenseLayers",
    "Indexer",
    "Latent",
    "Matrix",
    "ModelShape",
    "Recurrent",
    "Source",
    "bias_count",
    "from_table",
    "load",
    "matrices",
    "mtp_matrices",
    "mtp_parameter_count",
    "names",
    "parameter_count",
    "read",
]
