"""Chat templates of every construction, by what they ask of the messages.

`TOLD` are read off one rendering; `ASKED` look ahead or keep something from turn to
turn, so that the beginnings of a chat have to be rendered.
"""

TOLD = {
    "looks_ahead_at_tools": (
        "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>syst"
        "em\n' + messages[0]['content'] + '<|im_end|>\n' }}{%- else %}{{-"
        " '<|im_start|>system\nDefault.<|im_end|>\n' }}{%- endif %}{%- fo"
        "r message in messages %}{%- if (message.role == 'user') or (me"
        "ssage.role == 'system' and not loop.first) or (message.role =="
        " 'assistant') %}{{- '<|im_start|>' + message.role + '\n' + mess"
        "age.content + '<|im_end|>\n' }}{%- elif message.role == 'tool' "
        "%}{%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role"
        " != 'tool') %}{{- '<|im_start|>user' }}{%- endif %}{{- '\n<tool"
        "_response>\n' + message.content + '\n</tool_response>' }}{%- if "
        "loop.last or (messages[loop.index0 + 1].role != 'tool') %}{{- "
        "'<|im_end|>\n' }}{%- endif %}{%- endif %}{%- endfor %}{%- if ad"
        "d_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif"
        " %}"
    ),
    "lifts_the_system": (
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages ="
        " messages[1:] %}{% set system_message = messages[0]['content']"
        " %}{% else %}{% set loop_messages = messages %}{% set system_m"
        "essage = false %}{% endif %}{% for message in loop_messages %}"
        "{% if loop.index0 == 0 and system_message != false %}{% set co"
        "ntent = '<<SYS>>' + system_message + '<</SYS>>' + message['con"
        "tent'] %}{% else %}{% set content = message['content'] %}{% en"
        "dif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST]"
        " ' + content.strip() + ' [/INST]' }}{% elif message['role'] =="
        " 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{%"
        " endif %}{% endfor %}"
    ),
    "alternating": (
        "{% for m in messages %}{% if (m['role'] == 'user') != (loop.in"
        "dex0 % 2 == 0) %}{{ raise_exception('must alternate') }}{% end"
        "if %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}{% if "
        "add_generation_prompt %}<assistant>{% endif %}"
    ),
    "breaks_off_first": (
        "{% for m in messages %}{% if m.role == 'assistant' %}{% break "
        "%}{% endif %}{% endfor %}{% for m in messages %}<{{ m.role }}>"
        "{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prom"
        "pt %}<assistant>{% endif %}"
    ),
    "breaks_off": (
        "{% for m in messages %}{% if m.role == 'tool' %}{% break %}{% "
        "endif %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}{% "
        "if add_generation_prompt %}<assistant>{% endif %}"
    ),
    "prompt_inside": (
        "{% for m in messages %}{% if add_generation_prompt and m.role "
        "== 'tool' %}T{% endif %}<{{ m.role }}>{{ m.content }}<|im_end|"
        ">{% endfor %}{% if add_generation_prompt %}<assistant>{% endif"
        " %}"
    ),
    "no_header": ("{% for m in messages %}{{ m.content }} {% endfor %}"),
    "drops_thoughts": (
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistan"
        "t' %}{% set c = m.content %}{% if 'b' in c %}{% set c = c.spli"
        "t('b')[-1] %}{% endif %}{{ c }}{% else %}{{ m.content }}{% end"
        "if %}<|im_end|>{% endfor %}{% if add_generation_prompt %}<assi"
        "stant><think>{% endif %}"
    ),
    "asks_for_the_first": (
        "{% if (messages|first).role == 'system' %}S{% endif %}{% for m"
        " in messages %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfo"
        "r %}{% if add_generation_prompt %}<assistant>{% endif %}"
    ),
    "closes_the_whole": (
        "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}"
        "{% else %}{{ eos_token }}{% endif %}"
    ),
    "if_messages": (
        "{% if messages %}{% for m in messages %}<{{ m.role }}>{{ m.con"
        "tent }}<|im_end|>\n{% endfor %}{% endif %}{% if add_generation_"
        "prompt %}<assistant>{% endif %}"
    ),
}
ASKED = {
    "closes_and_looks_ahead": (
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}"
        "{{ '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}"
        "{% else %}{{ eos_token }}{% endif %}"
    ),
    "asks_for_the_last": (
        "{% for message in messages %}{% if message['role']=='user' %}{"
        "{ '<|user|>\n' + message['content'] + eos_token }}{% elif messa"
        "ge['role']=='assistant' %}{{ '<|assistant|>\n' + message['conte"
        "nt'] + eos_token }}{% else %}{{ '<|system|>\n' + message['conte"
        "nt'] + eos_token }}{% endif %}\n{% if loop.last and add_generat"
        "ion_prompt %}{{ '<|assistant|>' }}{% endif %}{% endfor %}"
    ),
    "keeps_a_namespace": (
        "{% set ns = namespace(last='') %}{% for m in messages %}{% set"
        " ns.last = m.role %}<{{ m.role }}>{{ m.content }}<|im_end|>{% "
        "endfor %}{% if add_generation_prompt %}<{{ ns.last }}><assista"
        "nt>{% endif %}{% if ns.last == 'user' %}!{% endif %}"
    ),
    "tail_looks": (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|im_end|>"
        "{% endfor %}{% if add_generation_prompt and messages[-1].role "
        "!= 'assistant' %}<assistant>{% endif %}"
    ),
    "captures": (
        "{% set out %}{% for m in messages %}<{{ m.role }}>{{ m.content"
        " }}<|im_end|>{% endfor %}{% endset %}{{ out }}{% if add_genera"
        "tion_prompt %}<assistant>{% endif %}"
    ),
    "filters": (
        "{% filter trim %}{% for m in messages %}<{{ m.role }}>{{ m.con"
        "tent }}<|im_end|>{% endfor %}{% endfilter %}{% if add_generati"
        "on_prompt %}<assistant>{% endif %}"
    ),
    "in_a_macro": (
        "{% macro all() %}{% for m in messages %}<{{ m.role }}>{{ m.con"
        "tent }}<|im_end|>{% endfor %}{% endmacro %}{{ all() }}{% if ad"
        "d_generation_prompt %}<assistant>{% endif %}"
    ),
    "loops_twice": (
        "{% for m in messages %}{{ m.role[0] }}{% endfor %}{% for m in "
        "messages %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    ),
    "loops_in_a_loop": (
        "{% for m in messages %}{% for x in messages %}{{ x.role[0] }}{"
        "% endfor %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    ),
    "loops_over_some": (
        "{% for m in messages if m.role != 'system' %}<{{ m.role }}>{{ "
        "m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt "
        "%}<assistant>{% endif %}"
    ),
    "counts": (
        "{% for m in messages %}{{ loop.index }}/{{ loop.length }}<{{ m"
        ".role }}>{{ m.content }}<|im_end|>{% endfor %}{% if add_genera"
        "tion_prompt %}<assistant>{% endif %}"
    ),
    "closes": (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|im_end|>"
        "{% endfor %}{% if add_generation_prompt %}<assistant>{% else %"
        "}<|end|>{% endif %}"
    ),
    "prompt_first": (
        "{% if add_generation_prompt %}P{% endif %}{% for m in messages"
        " %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}{% if ad"
        "d_generation_prompt %}<assistant>{% endif %}"
    ),
    "reverses": (
        "{% for m in messages[::-1] %}<{{ m.role }}>{{ m.content }}<|im"
        "_end|>{% endfor %}{% if add_generation_prompt %}<assistant>{% "
        "endif %}"
    ),
    "has_an_else": (
        "{% for m in messages[1:] %}<{{ m.role }}>{{ m.content }}<|im_e"
        "nd|>{% else %}none{% endfor %}{% if add_generation_prompt %}<a"
        "ssistant>{% endif %}"
    ),
    "passes_twice": (
        "{% for x in [1, 2] %}{% for m in messages %}<{{ m.role }}>{{ m"
        ".content }}<|im_end|>{% endfor %}{% endfor %}{% if add_generat"
        "ion_prompt %}<assistant>{% endif %}"
    ),
    "prints_all": ("{{ messages|tojson }}<|im_end|>"),
    "last_space": (
        "{% for m in messages %}{{ '' if loop.first else ' ' }}{{ m.con"
        "tent }}{% if not loop.last %}<|im_end|>{% endif %}{% endfor %}"
    ),
}
