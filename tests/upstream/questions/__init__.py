"""The questions that this server must answer as each version's own client does."""

from tests.upstream.questions import experiments, models, runs, values
from tests.upstream.questions.answers import Ask

QUESTIONS: dict[str, Ask] = {
    ask.__name__: ask for subject in (experiments, runs, values, models) for ask in subject.QUESTIONS
}
