"""What the tests of TestState share: asking about a state, with documents as values."""

import json

import pytest

import stepwell

DOCUMENTS = ("definition", "input", "variables", "context")


@pytest.fixture
def ask():
    """TestState's answer for a state, its documents as values; a mock's result is a value too."""

    def ask_it(definition, *, result=None, error=None, mode=None, call=None, **request):
        mock = {} if result is None else {"result": json.dumps(result)}
        if error is not None:
            mock["errorOutput"] = error
        if mode is not None:
            mock["fieldValidationMode"] = mode
        request = {"definition": definition, "inspectionLevel": "TRACE", **request}
        texts = {name: json.dumps(value) for name, value in request.items() if name in DOCUMENTS}
        answer = stepwell.test_state(**{**request, **texts, **({"mock": mock} if mock else {})}, call=call)
        if "output" in answer:
            answer["output"] = json.loads(answer["output"])
        shown = answer.pop("inspectionData", {})
        answer["shown"] = {key: json.loads(value) if isinstance(value, str) else value for key, value in shown.items()}
        return answer

    return ask_it


@pytest.fixture
def refused(ask):
    """The (code, message) with which a request is refused."""

    def ask_it(definition, **request):
        with pytest.raises(stepwell.ApiError) as raised:
            ask(definition, **request)
        return raised.value.code, raised.value.message

    return ask_it
