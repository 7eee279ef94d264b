"""The built-in page: HTML, CSS and JavaScript as they lie in ``assets``, without a build step."""
