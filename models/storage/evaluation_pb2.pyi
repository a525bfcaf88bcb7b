from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EvaluationReport(_message.Message):
    __slots__ = ("config", "model", "step", "split", "dataset_fingerprint", "training_fingerprint", "num_melodies", "num_steps", "num_notes", "log_likelihood", "label", "event")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    DATASET_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    TRAINING_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    NUM_MELODIES_FIELD_NUMBER: _ClassVar[int]
    NUM_STEPS_FIELD_NUMBER: _ClassVar[int]
    NUM_NOTES_FIELD_NUMBER: _ClassVar[int]
    LOG_LIKELIHOOD_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    config: str
    model: str
    step: int
    split: str
    dataset_fingerprint: str
    training_fingerprint: str
    num_melodies: int
    num_steps: int
    num_notes: int
    log_likelihood: float
    label: LabelFigures
    event: EventFigures
    def __init__(self, config: _Optional[str] = ..., model: _Optional[str] = ..., step: _Optional[int] = ..., split: _Optional[str] = ..., dataset_fingerprint: _Optional[str] = ..., training_fingerprint: _Optional[str] = ..., num_melodies: _Optional[int] = ..., num_steps: _Optional[int] = ..., num_notes: _Optional[int] = ..., log_likelihood: _Optional[float] = ..., label: _Optional[_Union[LabelFigures, _Mapping]] = ..., event: _Optional[_Union[EventFigures, _Mapping]] = ...) -> None: ...

class LabelFigures(_message.Message):
    __slots__ = ("loss", "perplexity", "accuracy", "event_accuracy", "no_event_accuracy", "mean_inverse_probability")
    LOSS_FIELD_NUMBER: _ClassVar[int]
    PERPLEXITY_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    EVENT_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    NO_EVENT_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    MEAN_INVERSE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    loss: float
    perplexity: float
    accuracy: float
    event_accuracy: float
    no_event_accuracy: float
    mean_inverse_probability: float
    def __init__(self, loss: _Optional[float] = ..., perplexity: _Optional[float] = ..., accuracy: _Optional[float] = ..., event_accuracy: _Optional[float] = ..., no_event_accuracy: _Optional[float] = ..., mean_inverse_probability: _Optional[float] = ...) -> None: ...

class EventFigures(_message.Message):
    __slots__ = ("loss", "perplexity", "accuracy", "log_likelihood", "bits_per_note")
    LOSS_FIELD_NUMBER: _ClassVar[int]
    PERPLEXITY_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    LOG_LIKELIHOOD_FIELD_NUMBER: _ClassVar[int]
    BITS_PER_NOTE_FIELD_NUMBER: _ClassVar[int]
    loss: float
    perplexity: float
    accuracy: float
    log_likelihood: float
    bits_per_note: float
    def __init__(self, loss: _Optional[float] = ..., perplexity: _Optional[float] = ..., accuracy: _Optional[float] = ..., log_likelihood: _Optional[float] = ..., bits_per_note: _Optional[float] = ...) -> None: ...
