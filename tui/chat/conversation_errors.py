"""Korean for the errors of conversations, reports and the app itself, by their English texts."""

from __future__ import annotations

from typing import Final

__all__ = ["CONVERSATION_ERRORS"]

CONVERSATION_ERRORS: Final[dict[str, str]] = {
    # agent: thresholds, settings, sessions
    "`{path}` does not hold the thresholds of a model ({kind}).": (
        "`{path}`에 모델의 기준값이 없습니다({kind})."
    ),
    "Calibrate it again, or delete the file.": "다시 보정하거나 파일을 지우세요.",
    "{path} is no TOML: {error}": "TOML 형식이 아닙니다: {path}: {error}",
    'e.g. model = "Qwen/Qwen2.5-VL-7B-Instruct"': '예: model = "Qwen/Qwen2.5-VL-7B-Instruct"',
    "known keys: {keys}": "사용할 수 있는 항목: {keys}",
    "no session in {path}: {why}": "세션이 없습니다: {path}: {why}",
    "give the folder that a session was written to": "세션이 저장된 폴더를 지정하세요",
    "{path} is empty": "빈 파일입니다: {path}",
    "{path}:{number}: damaged line, or one of another version": (
        "{path}:{number}: 줄이 손상되었거나 다른 버전에서 쓴 것입니다"
    ),
    "start a new session": "새 세션을 시작하세요",
    "mend it or take it away": "고치거나 치우세요",
    "{image} was seen with other weights of {model} than there are now": (
        "{image}: 지금과 다른 {model} 가중치로 검사했습니다"
    ),
    "put the earlier weights back, or inspect anew in a new session": (
        "이전 가중치를 되돌려 놓거나 새 세션에서 다시 검사하세요"
    ),
    "{model} does not tell how sure it is, and changes nothing unasked": (
        "{model}: 확신하는 정도를 알려 주지 않아, 묻지 않고는 아무것도 바꾸지 않습니다"
    ),
    "the session in {folder} is open in another window": "이 세션은 다른 창에서 열려 있습니다: {folder}",
    "close it there, or choose another folder with --out": (
        "그 창에서 닫거나 --out으로 다른 폴더를 고르세요"
    ),
    "cannot write to {folder}: {why}": "폴더에 쓸 수 없습니다: {folder}: {why}",
    "choose another --out": "--out으로 다른 폴더를 고르세요",
    "{folder} holds a run of `loupe inspect`": "`loupe inspect` 결과가 들어 있는 폴더입니다: {folder}",
    "choose an empty or new folder with --out; nothing was changed": (
        "--out으로 빈 폴더나 새 폴더를 고르세요. 바뀐 것은 없습니다"
    ),
    "{text} is not in UTF-8, and the session's log has to name it": (
        "UTF-8이 아니어서 세션 기록에 적을 수 없습니다: {text}"
    ),
    "rename it, or give UTF-8; photographs of such names are found by their folder": (
        "이름을 바꾸거나 UTF-8로 적으세요. 그런 이름의 사진은 폴더를 지정하면 찾습니다"
    ),
    "{folder} holds a session about another {what}": "다른 {what} 세션이 들어 있습니다: {folder}",
    (
        "resume it with the images and the recipe that it was started with; an update of Loupe may have "
        "changed a bundled recipe: then start a new session"
    ): (
        "시작할 때의 이미지와 레시피로 이어 하세요. Loupe 업데이트로 내장 레시피가 바뀌었을 수 있습니다. "
        "그러면 새 세션을 시작하세요"
    ),
    "{folder} holds a session that saw with other models": "다른 모델로 검사한 세션입니다: {folder}",
    "resume it with those that it began with: {named}": "시작할 때의 모델로 이어 하세요: {named}",
    "recipe": "레시피",
    "batch": "이미지",
    "the request is empty": "요청이 비어 있습니다",
    "say what to do, e.g. 'inspect everything'": "할 일을 적으세요. 예: '전부 검사해 줘'",
    "the turn before is still running": "앞의 요청을 아직 처리하고 있습니다",
    "wait for it, or cancel it": "기다리거나 취소하세요",
    "a turn is running": "요청을 처리하고 있습니다",
    "wait for it, or stop it": "기다리거나 중지하세요",
    # agent: what tools are given
    "call it as {call}": "이렇게 호출하세요: {call}",
    "{name} must be in 0..1, not {value}": "{name} 값은 0과 1 사이여야 합니다. 받은 값: {value}",
    "80 % is written 0.8": "80 %는 0.8로 적습니다",
    "{name} must be a whole number in {least}..{most}, not {value}": (
        "{name} 값은 {least}..{most} 범위의 정수여야 합니다. 받은 값: {value}"
    ),
    "unknown language {value}": "모르는 언어입니다: {value}",
    "languages: 'en', 'ko'": "언어: 'en', 'ko'",
    "unknown verdict {value}": "모르는 판정입니다: {value}",
    "verdicts: {verdicts}": "판정: {verdicts}",
    "{name} must be text, not {value}": "{name} 값은 글이어야 합니다. 받은 값: {value}",
    "{name} must not be empty": "{name} 값이 비어 있습니다",
    "say why, in a sentence": "이유를 한 문장으로 적으세요",
    "{name} has {count} characters; at most {most} are kept": (
        "{name} 값이 {count}자입니다. {most}자까지만 기록됩니다"
    ),
    "shorten it": "줄여 주세요",
    "not a region: {value}": "영역이 아닙니다: {value}",
    "the region {value} holds nothing of the image": "영역 {value} 안에 이미지가 없습니다",
    "a region is [x_min, y_min, x_max, y_max] in pixels of the image, {width} x {height}": (
        "영역은 이미지 픽셀 단위의 [x_min, y_min, x_max, y_max]입니다. 이미지 크기: {width} x {height}"
    ),
    "{name} must be a number, not {value}": "{name} 값은 수여야 합니다. 받은 값: {value}",
    "name the images that are good": "양품 이미지를 지정하세요",
    "ids is one id or a list of ids": "ids에는 번호 하나 또는 번호 목록을 씁니다",
    "an image id is text such as {example}, not {value}": (
        "이미지 번호는 {example} 같은 글입니다. 받은 값: {value}"
    ),
    "{value} may mean any of {ids}": "{value}: 여럿으로 볼 수 있습니다: {ids}",
    "say which one by its id": "번호로 하나를 지정하세요",
    "unknown image id {value}": "그런 이미지가 없습니다: {value}",
    "valid ids: {first} to {last}": "쓸 수 있는 번호: {first}부터 {last}까지",
    "the only id: {id}": "쓸 수 있는 번호: {id}",
    "ids are one id, a list of ids or None for all, not {value}": (
        "ids에는 번호 하나, 번호 목록, 또는 전체를 뜻하는 None을 씁니다. 받은 값: {value}"
    ),
    "there is no contact sheet {number}": "모음 사진 {number}번은 없습니다",
    "there are {sheets}, of {images} images each; one image is shown by its id": (
        "{images}장씩 모두 {sheets}장입니다. 이미지 하나는 번호로 봅니다"
    ),
    "a contact sheet has no regions": "모음 사진에는 영역을 지정할 수 없습니다",
    "look at an image of it by its id": "그 안의 이미지를 번호로 보세요",
    "{count} pictures wait to be shown": "보여 줄 사진 {count}장이 기다리고 있습니다",
    "look at more at a later step": "나머지는 다음 단계에서 보세요",
    "the user did not agree to {verdict} {image}": "사용자가 {image} {verdict} 판정에 동의하지 않았습니다",
    "the user did not agree to change {count} verdicts": (
        "사용자가 판정 {count}건의 변경에 동의하지 않았습니다"
    ),
    "leave them as they are, and say so": "판정들을 그대로 두고 그렇게 말하세요",
    "leave its verdict as it is, and say so": "판정을 그대로 두고 그렇게 말하세요",
    "no vision-language model is connected": "대화 모델이 연결되어 있지 않습니다",
    "use locate and look instead": "대신 locate와 look을 쓰세요",
    "this session keeps no ledger of past cases": "이 세션은 지난 사례 기록(ledger)을 쓰지 않습니다",
    "start it with a ledger to search": "찾아보려면 기록을 켜고 시작하세요",
    "a report needs at least one image": "보고서에는 이미지가 한 장 이상 있어야 합니다",
    "leave ids out for all": "전체를 넣으려면 ids를 생략하세요",
    "{image} cannot be read: {why}": "{image}: 읽을 수 없습니다: {why}",
    # agent: models
    "the model is unsure: {why}": "모델이 확신하지 못합니다: {why}",
    "look at the picture instead": "대신 사진을 직접 보세요",
    "the model failed: {why}": "모델이 실패했습니다: {why}",
    "{model}: {detail} Do not trust what it says of pictures.": (
        "{model}: {detail} 사진에 대한 말을 믿지 마세요."
    ),
    "It is blind: its answers are the same whatever picture it is shown.": (
        "사진을 보지 못합니다. 어떤 사진을 보여도 답이 같습니다."
    ),
    "It sees little: {right} of {shown} colours right, a box that overlaps by {overlap}.": (
        "잘 보지 못합니다. 색 {shown}개 중 {right}개만 맞고, 상자는 {overlap}만큼만 겹칩니다."
    ),
    "Its boxes are off: {right} of {shown} colours right, but a box {overlap} right.": (
        "상자 위치가 어긋납니다. 색은 {shown}개 중 {right}개가 맞지만 상자는 {overlap}만큼만 맞습니다."
    ),
    "It sees: {right} of {shown} colours right, and its box overlaps by {overlap}.": (
        "사진을 봅니다. 색 {shown}개 중 {right}개가 맞고 상자는 {overlap}만큼 겹칩니다."
    ),
    "the sandbox lacks a wall: {name} ({why})": "샌드박스에 보호벽 하나가 없습니다: {name} ({why})",
    "{model}: its sight could not be tested: {why}": "{model}: 사진을 보는지 점검하지 못했습니다: {why}",
    "the model did not come to an answer within {steps} steps": (
        "모델이 {steps}단계 안에 답을 내지 못했습니다"
    ),
    "ask for less at once, or choose a larger model (--model; /model in the app)": (
        "한 번에 적게 요청하거나 더 큰 모델을 고르세요 (--model, 앱에서는 /model)"
    ),
    "the model says what it will do, but does not do it": "모델이 하겠다고 말만 하고 하지 않습니다",
    "ask for one thing at a time, or choose a larger model (--model; /model in the app)": (
        "한 번에 한 가지만 요청하거나 더 큰 모델을 고르세요 (--model, 앱에서는 /model)"
    ),
    "the model wrote {count} answers in a row that are no program": (
        "모델의 답이 연달아 {count}번 프로그램이 아니었습니다"
    ),
    "ask in other words, or choose a larger model (--model; /model in the app)": (
        "다른 말로 요청하거나 더 큰 모델을 고르세요 (--model, 앱에서는 /model)"
    ),
    "The conversation does not fit into `{model}`: {why}.": (
        "대화가 `{model}` 모델에 다 들어가지 않습니다: {why}."
    ),
    "Begin a new conversation, look at fewer pictures, or choose a model with a larger context.": (
        "새 대화를 시작하거나, 사진을 적게 보거나, 문맥이 더 긴 모델을 고르세요."
    ),
    "A picture of {width} x {height} pixels is too long and narrow to be shown.": (
        "{width} x {height} 픽셀 사진은 너무 길쭉해서 보여 줄 수 없습니다."
    ),
    "Choose a region whose sides differ by less than {times} times.": (
        "두 변의 비가 {times}배 미만인 영역을 고르세요."
    ),
    "The agent's pocket model is missing from this installation.": (
        "이 설치에는 에이전트용 pocket 모델이 빠져 있습니다."
    ),
    (
        "Name one with --model (/model in the app): `Qwen/Qwen2.5-VL-3B-Instruct`, a folder, or "
        "`http://127.0.0.1:8000/v1#name`."
    ): (
        "--model(앱에서는 /model)로 지정하세요: `Qwen/Qwen2.5-VL-3B-Instruct`, 폴더, 또는 "
        "`http://127.0.0.1:8000/v1#name`."
    ),
    "`{path}` does not hold written answers.": "`{path}`에 적어 둔 답이 없습니다.",
    "`{model}` has no answer to what was asked.": "`{model}`에 이 요청의 답이 없습니다.",
    "Add the request to its answers.": "답 파일에 이 요청을 추가하세요.",
    "`{model}` has no further answer to `{request}`.": "`{model}`에 `{request}` 요청의 답이 더 없습니다.",
    "Add one to its answers.": "답 파일에 하나 추가하세요.",
    "The answers `{path}` cannot be read ({kind}).": "답 파일 `{path}`을(를) 읽을 수 없습니다({kind}).",
    "Expected a YAML list of answers, or a mapping of requests to lists of answers.": (
        "답의 YAML 목록, 또는 요청마다 답 목록을 적은 YAML이어야 합니다."
    ),
    "`{address}` refused ({status}): {why}": "서버 `{address}`가 거절했습니다({status}): {why}",
    "Set the key of the server as LOUPE_API_KEY.": "서버의 키를 LOUPE_API_KEY에 설정하세요.",
    "Check the model's name and that the address ends with /v1.": (
        "모델 이름과 주소가 /v1로 끝나는지 확인하세요."
    ),
    "The server's log may say more.": "서버 로그에 더 자세한 내용이 있을 수 있습니다.",
    "The answer of `{address}` broke off: {why}": "서버 `{address}`의 답이 중간에 끊겼습니다: {why}",
    "The server's log may say more; it has to speak OpenAI's protocol.": (
        "서버 로그를 보세요. 서버는 OpenAI 프로토콜을 써야 합니다."
    ),
    "`{address}` offers {count} models, and none was named.": (
        "서버 `{address}`에 모델이 {count}개 있는데 하나를 지정하지 않았습니다."
    ),
    "Write the name after the address, `{address}#{name}`. Offered: {names}.": (
        "주소 뒤에 이름을 적으세요: `{address}#{name}`. 제공 모델: {names}."
    ),
    "`{model}` refused to answer: {why}.": "`{model}` 모델이 답을 거절했습니다: {why}.",
    "Rephrase it.": "다른 말로 요청하세요.",
    "The answer of `{model}` was cut off after {tokens} tokens.": (
        "`{model}` 모델의 답이 {tokens} 토큰에서 잘렸습니다."
    ),
    "Ask for less at once; a model that repeats itself without end may need another precision.": (
        "한 번에 적게 요청하세요. 끝없이 되풀이하는 모델은 정밀도를 바꿔야 할 수 있습니다."
    ),
    "The answer of `{model}` was empty.": "`{model}` 모델의 답이 비어 있습니다.",
    "It may have no chat template or not take pictures; check the address as well.": (
        "대화 템플릿이 없거나 사진을 받지 않는 모델일 수 있습니다. 주소도 확인하세요."
    ),
    "No server answers at `{address}`.": "`{address}`에서 응답하는 서버가 없습니다.",
    "Start it, for example `vllm serve Qwen/Qwen2.5-VL-7B-Instruct`, and give its address up to /v1.": (
        "서버를 시작하고(예: `vllm serve Qwen/Qwen2.5-VL-7B-Instruct`) /v1까지의 주소를 지정하세요."
    ),
    "`{address}` did not answer in {count} attempts ({why}).": (
        "서버 `{address}`가 {count}번 시도해도 답하지 않았습니다({why})."
    ),
    "Look at the server's log, or try again later.": "서버 로그를 보거나 나중에 다시 시도하세요.",
    "The sandbox cannot be started: {why}": "샌드박스를 시작할 수 없습니다: {why}",
    "Free memory and processes, and try again.": "메모리와 프로세스를 비우고 다시 시도하세요.",
    "The sandbox did not start: {why}": "샌드박스가 시작되지 않았습니다: {why}",
    "it took too long": "너무 오래 걸렸습니다",
    "`loupe doctor` tells what this system offers.": (
        "이 시스템에서 되는 것은 `loupe doctor`로 볼 수 있습니다."
    ),
    "I could not finish this: {why}": "이 요청을 끝내지 못했습니다: {why}",
    "The fixed pipeline works without the model: `{command}` gives the verdicts and the report.": (
        "모델 없이도 고정 검사 절차를 쓸 수 있습니다. `{command}`로 판정과 보고서를 얻을 수 있습니다."
    ),
    # agent: why an answer is not verified
    "there is no image {image} in this batch": "이 묶음에는 {image} 이미지가 없습니다",
    "there is no finding {finding}; name only those that the tools returned": (
        "{finding} 결함은 없습니다. 도구가 돌려준 결함만 적으세요"
    ),
    "the number {number} is in no result; state only what the tools returned": (
        "숫자 {number}: 어느 결과에도 없습니다"
    ),
    "{image} is {verdict}, not all are {claimed}": "모두 {claimed}인 것은 아닙니다. {image}: {verdict}",
    "{image} has no verdict yet, but the answer says {claimed}": (
        "답에는 {claimed}(으)로 되어 있지만 {image}에는 아직 판정이 없습니다"
    ),
    "the verdict of {image} is {verdict}, but the answer says {claimed}": (
        "답에는 {claimed}(으)로 되어 있지만 {image}의 판정은 {verdict}입니다"
    ),
    "the ledger lacks a decision on {image}: {why}": (
        "판정 기록(ledger)에 {image}의 결정이 빠졌습니다: {why}"
    ),
    "{image} cannot be shown: {why}": "{image}을(를) 보여 줄 수 없습니다: {why}",
    "no report has been written in this session": "이 세션에서는 보고서를 쓴 적이 없습니다",
    # reports
    "The report {path} cannot be written: {why}.": "보고서를 쓸 수 없습니다: {path}: {why}.",
    "Check that the folder exists, that it is yours to write to, and that the disk is not full.": (
        "폴더가 있는지, 쓸 권한이 있는지, 디스크가 가득 차지 않았는지 확인하세요."
    ),
    "The report was cancelled.": "보고서 작성을 취소했습니다.",
    "The exports cannot be written to {folder}: {why}.": "데이터 파일을 쓸 수 없습니다: {folder}: {why}.",
    "The exports were cancelled.": "데이터 파일 작성을 취소했습니다.",
    "The report's font {name} is not installed.": "보고서 글꼴 {name}이(가) 설치되어 있지 않습니다.",
    "Install it with: pip install koreanize-matplotlib==0.1.1": (
        "설치 명령: pip install koreanize-matplotlib==0.1.1"
    ),
    "the ledger {path} cannot be used: {why}": "기록(ledger) 파일을 쓸 수 없습니다: {path}: {why}",
    "move the file away, or set LOUPE_HOME to another folder": (
        "파일을 옮기거나 LOUPE_HOME을 다른 폴더로 지정하세요"
    ),
    "the ledger {path} was written by a newer version of Loupe": (
        "기록(ledger) 파일이 더 새로운 Loupe에서 쓰였습니다: {path}"
    ),
    "update Loupe, or set LOUPE_HOME to another folder": (
        "Loupe를 업데이트하거나 LOUPE_HOME을 다른 폴더로 지정하세요"
    ),
    "{path} is there already and is no report of this session": (
        "이 세션의 보고서가 아닌 파일이 이미 있습니다: {path}"
    ),
    "{path} was changed since this session wrote it": "이 세션이 쓴 뒤에 바뀐 파일입니다: {path}",
    "nothing was written: move or rename it, then write the report again": (
        "아무것도 쓰지 않았습니다. 그 파일을 옮기거나 이름을 바꾼 뒤 보고서를 다시 작성하세요"
    ),
    "nothing was changed: move it away, or start the session with another output folder": (
        "아무것도 바꾸지 않았습니다. 그 파일을 옮기거나 다른 출력 폴더로 세션을 시작하세요"
    ),
    "the report cannot be written to {folder}: {why}": "보고서를 쓸 수 없습니다: {folder}: {why}",
    "check that the folder is yours to write to, and that the disk is not full": (
        "폴더에 쓸 권한이 있는지, 디스크가 가득 차지 않았는지 확인하세요"
    ),
    # the app
    "the images were not opened": "이미지를 열지 않았습니다",
    "open them again, or others": "다시 열거나 다른 이미지를 여세요",
    "cannot write {path}: {why}": "파일을 쓸 수 없습니다: {path}: {why}",
    "choose another file": "다른 파일을 고르세요",
    "there is no theme {name}": "그런 색상은 없습니다: {name}",
    "e.g. {names}": "예: {names}",
    "no program to open files was found": "파일을 여는 프로그램이 없습니다",
    "the file is {path}": "파일 위치: {path}",
    "the file could not be opened: {why}": "파일을 열지 못했습니다: {why}",
    "the report {path} cannot be shown": "보고서를 보여 줄 수 없습니다: {path}",
    "write it again: {why}": "다시 작성하세요: {why}",
    "the report is closed": "보고서가 닫혀 있습니다",
    "open it again": "다시 여세요",
    # of the system
    "Permission denied": "권한이 없습니다",
    "No such file or directory": "파일이나 폴더가 없습니다",
    "Is a directory": "폴더입니다",
    "Not a directory": "폴더가 아닙니다",
    "File exists": "파일이 이미 있습니다",
    "No space left on device": "디스크에 남은 공간이 없습니다",
    "Read-only file system": "읽기 전용 디스크입니다",
}
