from tools.telegraf_program import build_tags, telegraf


def test_tags_name_every_plugin_and_every_format() -> None:
    text = """
    [agent]
    [[inputs.exec]]
      data_format = "json_v2"
    [[inputs.exec]]
      data_format = "value"
    [[processors.parser]]
      data_format = "grok"
    [[aggregators.final]]
    [[outputs.file]]
      data_format = "template"
    [[secretstores.docker]]
    """
    assert build_tags(text, "[[inputs.cpu]]") == (
        "custom",
        "aggregators.final",
        "inputs.cpu",
        "inputs.exec",
        "outputs.file",
        "parsers.grok",
        "parsers.json_v2",
        "parsers.value",
        "processors.parser",
        "secretstores.docker",
        "serializers.template",
    )


def test_make_tools_has_built_it() -> None:
    assert telegraf().find() is not None, f"no telegraf {telegraf().version()}: run `make tools`"
