"""Korean for the errors of images, checkpoints, recipes and good parts, by their English texts."""

from __future__ import annotations

from typing import Final

__all__ = ["SEEING_ERRORS"]

SEEING_ERRORS: Final[dict[str, str]] = {
    # images
    "reading images was cancelled": "이미지 읽기를 취소했습니다",
    "no images were given": "이미지를 지정하지 않았습니다",
    "give files, folders, globs or a .txt list of paths": (
        "파일, 폴더, 글롭 또는 경로를 적은 .txt 목록을 지정하세요"
    ),
    "the name of a file or folder is empty": "파일이나 폴더의 이름이 비어 있습니다",
    "give one, or `.` for the current folder": "이름을 적거나, 현재 폴더라면 `.`을 적으세요",
    "the folder {folder} holds no images": "폴더에 이미지가 없습니다: {folder}",
    "looked for {suffixes} there and in its subfolders": "그 폴더와 하위 폴더에서 찾은 형식: {suffixes}",
    "no image matches {pattern}": "일치하는 이미지가 없습니다: {pattern}",
    "did you mean {path}?": "혹시 이것인가요? {path}",
    "nothing in {folder} has such a name": "그런 이름이 없습니다. 찾은 폴더: {folder}",
    "the list {path} is empty": "목록이 비어 있습니다: {path}",
    "write one path per line": "한 줄에 경로 하나씩 적으세요",
    "{path} cannot be read": "읽을 수 없습니다: {path}",
    "{path} does not exist": "파일이나 폴더가 없습니다: {path}",
    "the folder {folder} cannot be opened": "폴더를 열 수 없습니다: {folder}",
    "a contact sheet needs at least one image, one column and one pixel": (
        "모음 사진에는 이미지, 열, 픽셀이 하나 이상 있어야 합니다"
    ),
    # checkpoints
    "There is no model set `{name}`.": "모델 세트 `{name}`은(는) 없습니다.",
    "Choose one of: {names}.": "다음에서 고르세요: {names}.",
    "The model set `{name}` brings no {kind}.": "모델 세트 `{name}`에는 {kind} 모델이 없습니다.",
    "Name your own weights as `models.{kind}` in the recipe, or write `pocket` for the bundled one.": (
        "레시피의 `models.{kind}`에 가중치를 지정하거나, 내장 모델을 쓰려면 `pocket`이라고 적으세요."
    ),
    "The {kind} checkpoint `{path}` does not exist.": "{kind} 체크포인트가 없습니다: `{path}`.",
    "Check `models` in the recipe, or use the bundled models with `--models pocket`.": (
        "레시피의 `models`를 확인하거나 `--models pocket`으로 내장 모델을 쓰세요."
    ),
    "`{name}` holds no weights that can be loaded.": "`{name}`에 불러올 수 있는 가중치가 없습니다.",
    "Check the id.": "이름을 확인하세요.",
    "The device `{name}` is not available.": "`{name}` 장치를 쓸 수 없습니다.",
    "Available here: {names}; or say `auto`.": "쓸 수 있는 장치: {names}, 또는 `auto`.",
    "There is no precision `{name}`.": "정밀도 `{name}`은(는) 없습니다.",
    "There is no device `{name}`.": "`{name}` 장치는 없습니다.",
    "Choose auto, cpu, cuda, cuda:0 (or 1, 2, ...) or mps.": (
        "auto, cpu, cuda, cuda:0(또는 1, 2, ...), mps 중에서 고르세요."
    ),
    "Choose auto, float32, bfloat16 or float16.": "auto, float32, bfloat16, float16 중에서 고르세요.",
    "float16 does not run well on a CPU.": "float16은 CPU에서 잘 돌지 않습니다.",
    "Choose float32 or bfloat16.": "float32나 bfloat16을 고르세요.",
    "`{path}` holds no weights.": "`{path}`에 가중치가 없습니다.",
    "Expected one of: {names}.": "다음 중 하나가 있어야 합니다: {names}.",
    "`{name}` is not on this machine and could not be downloaded ({kind}).": (
        "`{name}` 모델이 이 컴퓨터에 없고 내려받지도 못했습니다({kind})."
    ),
    "On a machine with internet run `hf download {name}`.": (
        "인터넷이 되는 컴퓨터에서 `hf download {name}`을 실행하세요."
    ),
    (
        "Downloads lie in {folder}, which can be copied. Or give a local folder, or take the bundled "
        "models with `--models pocket`."
    ): (
        "내려받은 파일은 {folder}에 있으니 복사해 오면 됩니다. 폴더를 지정하거나 `--models pocket`으로 "
        "내장 모델을 써도 됩니다."
    ),
    "The download of `{name}` was stopped.": "`{name}` 내려받기를 중지했습니다.",
    "Whole files are kept, and not downloaded again.": "다 받은 파일은 보존되어 다시 내려받지 않습니다.",
    "`{name}` does not load as {kind} ({error}: {why}).": (
        "`{name}`을(를) {kind} 모델로 불러올 수 없습니다({error}: {why})."
    ),
    "The files may be damaged or made for something else; `--models pocket` uses the bundled ones.": (
        "파일이 손상되었거나 다른 용도의 것일 수 있습니다. `--models pocket`은 내장 모델을 씁니다."
    ),
    "`{name}` is of type {kind}, not {expected}.": (
        "`{name}`의 종류는 {kind}입니다. 필요한 종류: {expected}."
    ),
    "Name a checkpoint of that type as `models.{kind}`.": (
        "`models.{kind}`에 그 종류의 체크포인트를 지정하세요."
    ),
    "`{name}` lacks {count} weights.": "`{name}`에 가중치 {count}개가 빠져 있습니다.",
    "The file is not complete.": "파일이 온전하지 않습니다.",
    "The precision {precision} needs the package bitsandbytes, which is not installed.": (
        "정밀도 {precision}에는 bitsandbytes 패키지가 필요하지만 설치되어 있지 않습니다."
    ),
    "pip install bitsandbytes, or do without: `--precision auto`, and "
    "`captioning.load_in_8bit: false` in the recipe.": (
        "pip install bitsandbytes를 실행하거나, 정밀도를 auto로 두고 레시피에 "
        "`captioning.load_in_8bit: false`를 적으세요."
    ),
    "the translator {name} is a {kind} model, not MarianMT": (
        "번역 모델 {name}의 종류는 {kind}입니다. 필요한 종류: MarianMT"
    ),
    "Set `captioning.translator` to a folder with a MarianMT checkpoint, or leave it empty.": (
        "`captioning.translator`에 MarianMT 체크포인트 폴더를 지정하거나 비워 두세요."
    ),
    "`{file}` is a pickle, which can run any code when it is loaded; nobody vouched for it.": (
        "`{file}`은 pickle 파일이라 불러올 때 임의의 코드가 실행될 수 있는데, 아무도 보증하지 않았습니다."
    ),
    (
        "If you know where it comes from, write `detector_sha256: {hash}` below `models` in the recipe, "
        "or start `loupe` with --trust-checkpoint."
    ): (
        "출처를 안다면 레시피의 `models` 아래에 `detector_sha256: {hash}`라고 적거나 "
        "`loupe`를 --trust-checkpoint로 시작하세요."
    ),
    "`{name}` is no detector that can be loaded.": "`{name}`은(는) 불러올 수 있는 검출기가 아닙니다.",
    "Give a folder with {weights} and {spec}, an exported .onnx file, or a .pt file.": (
        "{weights} 파일과 {spec} 파일이 있는 폴더, .onnx 파일, 또는 .pt 파일을 지정하세요."
    ),
    "A detector for the task `{task}` finds no defects.": (
        "`{task}` 작업용 검출기로는 결함을 찾지 못합니다."
    ),
    "Train for {classes}.": "다음 작업으로 학습하세요: {classes}.",
    "The detector `{name}` is no file.": "검출기 `{name}` 파일이 없습니다.",
    "Give a path to your weights.": "가중치 파일의 경로를 지정하세요.",
    "`{file}` needs the package {package}.": "`{file}`에는 {package} 패키지가 필요합니다.",
    "pip install 'loupe-inspection[onnx]'": "설치 명령: pip install 'loupe-inspection[onnx]'",
    # the work and its folder
    "the work was stopped": "작업을 중지했습니다",
    "what is complete stays known; ask again to go on": "끝난 것은 남아 있습니다. 다시 요청하면 이어집니다",
    "ask again to go on": "다시 요청하면 이어집니다",
    "{path} is damaged or was written by another version": (
        "손상되었거나 다른 버전에서 쓴 파일입니다: {path}"
    ),
    # recipes
    "there is no recipe {path}": "레시피가 없습니다: {path}",
    "there is no recipe {path}; did you mean {names}?": (
        "레시피가 없습니다: {path}. 혹시 이것인가요? {names}"
    ),
    "Bundled recipes: {names}. `loupe recipe new FILE` writes one to start from.": (
        "내장 레시피: {names}. `loupe recipe new FILE`로 새 레시피를 만들 수 있습니다."
    ),
    "{path} exists already": "이미 있는 파일입니다: {path}",
    "Choose another name, or delete it first.": "다른 이름을 고르거나 먼저 지우세요.",
    "{path} cannot be read: {why}": "읽을 수 없습니다: {path}: {why}",
    "{path}:{line}: not UTF-8 text": "{path}:{line}: UTF-8 텍스트가 아닙니다",
    "Save the file as UTF-8.": "파일을 UTF-8로 저장하세요.",
    "{path} cannot be written: {why}": "쓸 수 없습니다: {path}: {why}",
    "`loupe recipe show metal-surface` shows a recipe that holds; `loupe recipe new FILE` writes one.": (
        "올바른 레시피는 `loupe recipe show metal-surface`로 보고, 새 레시피는 `loupe recipe new FILE`로 "
        "만듭니다."
    ),
    "A label of recipe {name} is called `{label}`.": "레시피 {name}의 라벨 이름이 `{label}`입니다.",
    "That name is taken.": "이미 쓰이는 이름입니다.",
    "The screening template {template} has no place for the part.": (
        "선별 문구 {template}에 부품이 들어갈 자리가 없습니다."
    ),
    "Write `{}` where the part in its state goes: `a macro photo of a {}`.": (
        "부품이 들어갈 자리에 `{}`를 적으세요: `a macro photo of a {}`."
    ),
    # good parts and templates
    "the good parts were not changed": "양품 목록은 바뀌지 않았습니다",
    "the recipe's `references` have changed since {folder} was made: {what}": (
        "{folder}을(를) 만든 뒤 레시피의 `references`가 바뀌었습니다: {what}"
    ),
    "`loupe good --rebuild` makes them again from their images": (
        "`loupe good --rebuild`로 이미지에서 다시 만드세요"
    ),
    "{lost} of the {count} good images are no longer where they were: {names}": (
        "양품 이미지 {count}장 중 {lost}장이 원래 자리에 없습니다: {names}"
    ),
    "{lost} of the {count} good images have changed since they were added: {names}": (
        "양품 이미지 {count}장 중 {lost}장이 등록 후 바뀌었습니다: {names}"
    ),
    "put them back as they were, or take each out with `loupe good --remove NAME`": (
        "원래대로 되돌려 놓거나 `loupe good --remove NAME`으로 하나씩 빼세요"
    ),
    "another Loupe is changing the good parts in {folder}": ("다른 Loupe가 양품을 바꾸는 중입니다: {folder}"),
    "wait until it is done": "끝날 때까지 기다리세요",
    "there is no good image to learn from": "배울 양품 이미지가 없습니다",
    "name at least one, better eight": "한 장 이상, 되도록 여덟 장을 지정하세요",
    "not among the references: {names}": "등록된 양품이 아닙니다: {names}",
    "there are: {names}": "등록된 것: {names}",
    "no reference would be left": "남는 양품이 없게 됩니다",
    "add others first, or delete the whole set": "먼저 다른 것을 등록하거나 전체를 지우세요",
    "{count} images are too few to score each other": "이미지 {count}장은 서로 비교하기에 너무 적습니다",
    "mutual scoring needs at least {least}; name some good images instead": (
        "서로 비교하려면 {least}장 이상이 필요합니다. 대신 양품을 등록하세요"
    ),
    "the references in {folder} were made with {made}, not with what sees now": (
        "{folder}의 양품은 지금과 다른 모델로 만들었습니다: {made}"
    ),
    "build them again from the images, or use the same checkpoints": (
        "이미지에서 다시 만들거나 같은 체크포인트를 쓰세요"
    ),
    "there are no references in {folder}": "등록된 양품이 없습니다: {folder}",
    "name good images first": "먼저 양품을 등록하세요",
    "check the folder's rights and the free space": "폴더 권한과 남은 공간을 확인하세요",
    "build the references again": "양품을 다시 등록하세요",
    "the template {path} does not exist": "기준 사진이 없습니다: {path}",
    "`references.template` in the recipe names a picture relative to the recipe's folder": (
        "레시피의 `references.template`에는 레시피 폴더를 기준으로 한 사진 경로를 적습니다"
    ),
    "there is no template {name}": "기준 사진이 없습니다: {name}",
    "{name} was not loaded, so it sees nothing": "{name}을(를) 불러오지 않아 아무것도 볼 수 없습니다",
    "load the references with it": "이 모델과 함께 양품을 불러오세요",
}
