// Chat templates of the shapes that checkpoints carry.

const alternate = `
  {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
    {{- raise_exception('roles must alternate, user first') }}
  {%- endif %}`;

/** The first Mixtral template: no system role, and no space before an answer or after "</s>". */
export const gluedInstruct = `{{- bos_token }}{%- for message in messages %}${alternate}
  {%- if message['role'] == 'user' %}{{- '[INST] ' + message['content'] + ' [/INST]' }}
  {%- elif message['role'] == 'assistant' %}{{- message['content'] + eos_token }}
  {%- else %}{{- raise_exception('only user and assistant roles') }}{%- endif %}
{%- endfor %}`;

/** Mistral 7B's first: as above, with a space after "</s>". */
export const spaceAfterAnswerInstruct = gluedInstruct.replace("eos_token }}", "eos_token + ' ' }}");

/** The later Mixtral template: a system role, and every dummy prefix spelled as a space. */
export const spacedInstruct = `
{%- if messages[0]['role'] == 'system' %}
  {%- set system_message = messages[0]['content'] %}
  {%- set loop_messages = messages[1:] %}
{%- else %}
  {%- set loop_messages = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}${alternate}
  {%- if message['role'] == 'user' %}
    {%- if loop.first and system_message is defined %}
      {{- ' [INST] ' + system_message + '\\n\\n' + message['content'] + ' [/INST]' }}
    {%- else %}
      {{- ' [INST] ' + message['content'] + ' [/INST]' }}
    {%- endif %}
  {%- elif message['role'] == 'assistant' %}
    {{- ' ' + message['content'] + eos_token }}
  {%- else %}
    {{- raise_exception('only user and assistant roles, after one system message') }}
  {%- endif %}
{%- endfor %}`;

/** ChatML, which knows every role and asks for the answer explicitly. */
export const chatMl = `
{%- for message in messages %}
  {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}`;
