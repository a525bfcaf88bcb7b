from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Configuration(_message.Message):
    __slots__ = ("config", "min_note", "max_note", "transpose_to_key", "steps_per_quarter", "hyperparameters", "other_hyperparameters", "representation", "vocabulary", "representation_options", "unit")
    class OtherHyperparametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class RepresentationOptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    MIN_NOTE_FIELD_NUMBER: _ClassVar[int]
    MAX_NOTE_FIELD_NUMBER: _ClassVar[int]
    TRANSPOSE_TO_KEY_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    OTHER_HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    REPRESENTATION_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    REPRESENTATION_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    config: str
    min_note: int
    max_note: int
    transpose_to_key: int
    steps_per_quarter: int
    hyperparameters: Hyperparameters
    other_hyperparameters: _containers.ScalarMap[str, str]
    representation: str
    vocabulary: _containers.RepeatedScalarFieldContainer[str]
    representation_options: _containers.ScalarMap[str, str]
    unit: str
    def __init__(self, config: _Optional[str] = ..., min_note: _Optional[int] = ..., max_note: _Optional[int] = ..., transpose_to_key: _Optional[int] = ..., steps_per_quarter: _Optional[int] = ..., hyperparameters: _Optional[_Union[Hyperparameters, _Mapping]] = ..., other_hyperparameters: _Optional[_Mapping[str, str]] = ..., representation: _Optional[str] = ..., vocabulary: _Optional[_Iterable[str]] = ..., representation_options: _Optional[_Mapping[str, str]] = ..., unit: _Optional[str] = ...) -> None: ...

class Hyperparameters(_message.Message):
    __slots__ = ("values", "batch_size", "rnn_layer_sizes", "dropout_keep_prob", "attn_length", "clip_norm", "learning_rate", "lookback_distances", "lookback_unit")
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VALUES_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    RNN_LAYER_SIZES_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    ATTN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    CLIP_NORM_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_DISTANCES_FIELD_NUMBER: _ClassVar[int]
    LOOKBACK_UNIT_FIELD_NUMBER: _ClassVar[int]
    values: _containers.ScalarMap[str, str]
    batch_size: int
    rnn_layer_sizes: _containers.RepeatedScalarFieldContainer[int]
    dropout_keep_prob: float
    attn_length: int
    clip_norm: float
    learning_rate: float
    lookback_distances: _containers.RepeatedScalarFieldContainer[int]
    lookback_unit: str
    def __init__(self, values: _Optional[_Mapping[str, str]] = ..., batch_size: _Optional[int] = ..., rnn_layer_sizes: _Optional[_Iterable[int]] = ..., dropout_keep_prob: _Optional[float] = ..., attn_length: _Optional[int] = ..., clip_norm: _Optional[float] = ..., learning_rate: _Optional[float] = ..., lookback_distances: _Optional[_Iterable[int]] = ..., lookback_unit: _Optional[str] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("configuration", "seed", "num_steps", "eval_every", "early_stopping", "dataset", "versions", "initial_model")
    class Dataset(_message.Message):
        __slots__ = ("path", "fingerprint")
        PATH_FIELD_NUMBER: _ClassVar[int]
        FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
        path: str
        fingerprint: str
        def __init__(self, path: _Optional[str] = ..., fingerprint: _Optional[str] = ...) -> None: ...
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    NUM_STEPS_FIELD_NUMBER: _ClassVar[int]
    EVAL_EVERY_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOPPING_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_MODEL_FIELD_NUMBER: _ClassVar[int]
    configuration: Configuration
    seed: int
    num_steps: int
    eval_every: int
    early_stopping: int
    dataset: Run.Dataset
    versions: Versions
    initial_model: str
    def __init__(self, configuration: _Optional[_Union[Configuration, _Mapping]] = ..., seed: _Optional[int] = ..., num_steps: _Optional[int] = ..., eval_every: _Optional[int] = ..., early_stopping: _Optional[int] = ..., dataset: _Optional[_Union[Run.Dataset, _Mapping]] = ..., versions: _Optional[_Union[Versions, _Mapping]] = ..., initial_model: _Optional[str] = ...) -> None: ...

class Versions(_message.Message):
    __slots__ = ("etude", "python", "tensorflow", "numpy")
    ETUDE_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    TENSORFLOW_FIELD_NUMBER: _ClassVar[int]
    NUMPY_FIELD_NUMBER: _ClassVar[int]
    etude: str
    python: str
    tensorflow: str
    numpy: str
    def __init__(self, etude: _Optional[str] = ..., python: _Optional[str] = ..., tensorflow: _Optional[str] = ..., numpy: _Optional[str] = ...) -> None: ...
