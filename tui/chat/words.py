"""Every word that the app shows, in English and Korean, in one table."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tools.records import Language

__all__ = ["WORDS", "Words", "language_of_terminal"]

WORDS: dict[str, tuple[str, str]] = {
    # verdicts and states
    "accept": ("accept", "합격"),
    "reject": ("reject", "불합격"),
    "review": ("review", "재검토"),
    "unreadable": ("unread", "못읽음"),
    "undecided": ("open", "미정"),
    "all": ("all", "전체"),
    "state.human": ("decided", "사람 결정"),
    "state.agent": ("by agent", "에이전트"),
    "state.rule": ("inspected", "검사됨"),
    "state.none": ("–", "–"),
    # batch panel
    "batch.empty": ("no batch is open", "열린 이미지가 없습니다"),
    "batch.nothing": ("nothing here: press f for another filter", "해당 이미지 없음: f 키로 필터를 바꾸세요"),
    "batch.selected": ("{count} selected", "{count}장 선택"),
    "column.id": ("image", "이미지"),
    "column.verdict": ("verdict", "판정"),
    "column.finding": ("worst finding", "주요 결함"),
    "column.size": ("size", "크기"),
    "column.state": ("state", "상태"),
    "column.name": ("file", "파일"),
    "sort.batch": ("batch order", "원래 순서"),
    "sort.name": ("file name", "파일 이름"),
    "sort.verdict": ("worst first", "판정 나쁜 순"),
    "sort.suspicion": ("most suspect first", "의심도 높은 순"),
    # header
    "header.opening": ("opening {name} …", "{name} 여는 중 …"),
    "header.read": (
        "{done} of {total} images read, Escape stops",
        "이미지 {total}장 중 {done}장 읽음, Esc로 중지",
    ),
    "header.images": ("{count} images", "이미지 {count}장"),
    "header.model": ("model {name}", "모델 {name}"),
    "header.not_loaded": ("loads at the first request", "첫 요청 때 불러옴"),
    "header.loaded": ("loaded", "불러옴"),
    "header.running": ("working", "작업 중"),
    "header.no_batch": ("no batch", "이미지 없음"),
    # conversation
    "step.title": ("step {step}", "{step}단계"),
    "step.running": ("step {step} · working …", "{step}단계 · 작업 중 …"),
    "step.cost": ("{seconds:.1f} s · {read} + {written} tokens", "{seconds:.1f}초 · {read} + {written} 토큰"),
    "step.error": ("error", "오류"),
    "tool.running": ("{tool}({given})", "{tool}({given})"),
    "tool.done": ("{tool}({given}) · {size} · {seconds:.1f} s", "{tool}({given}) · {size} · {seconds:.1f}초"),
    "tool.rows": ("{count} rows", "{count}행"),
    "tool.more": ("… {count} more rows", "… {count}행 더 있음"),
    "load.screening": ("the CLIP model {model} for screening", "선별용 CLIP 모델 {model}"),
    "load.localization": ("the detector {model} for locating defects", "결함 위치용 검출기 {model}"),
    "load.captions": ("the BLIP model {model} for descriptions", "설명용 BLIP 모델 {model}"),
    "load.translation": ("the model {model} for translation", "번역용 모델 {model}"),
    "load.report": ("the models that a report names", "보고서에 적을 모델"),
    "load.conversation": ("the model {model} for the conversation", "대화용 모델 {model}"),
    "load.running": ("loading {what} · {seconds} s", "{what} 불러오는 중 · {seconds}초"),
    "load.download": (
        "downloading {hub_id}: {done:,.0f} of {total:,.0f} MB",
        "{hub_id} 내려받는 중: {total:,.0f} MB 중 {done:,.0f} MB",
    ),
    "load.rate": (
        "{rate:.1f} MB/s · {minutes}:{seconds:02d} left",
        "{rate:.1f} MB/s · {minutes}:{seconds:02d} 남음",
    ),
    "load.testing": (
        "testing whether {model} sees · {seconds} s",
        "{model} 모델이 사진을 보는지 점검 중 · {seconds}초",
    ),
    "load.loaded": ("loaded {what} · {seconds} s", "{what} 불러옴 · {seconds}초"),
    "load.failed": ("not loaded: {what}", "{what} 불러오지 못함"),
    "load.left": (
        "left loading: {what}. It goes on beside, and the next request finds it.",
        "{what}: 불러오기는 뒤에서 계속되며 다음 요청에서 바로 씁니다.",
    ),
    "looked": (
        "looked at {image} ({width} x {height} px, {tokens} tokens)",
        "{image} 확인 ({width} x {height} px, {tokens} 토큰)",
    ),
    "decision": (
        "{image}: {before} → {verdict}, by {by}: {reason}",
        "{image}: {before} → {verdict}, {by}: {reason}",
    ),
    "by.agent": ("agent", "에이전트"),
    "note": ("note: {text}", "알림: {text}"),
    "unverified": ("not verified: {reason}", "확인되지 않음: {reason}"),
    "turn.answered": ("answered", "답변 완료"),
    "abstained": (
        "Not run: the model is not sure enough of this program.",
        "실행하지 않았습니다. 모델이 이 프로그램을 충분히 확신하지 못합니다.",
    ),
    "turn.declined": ("declined", "거절함"),
    "turn.failed": ("failed", "실패"),
    "turn.cancelled": ("stopped", "중지됨"),
    "turn.abandoned": ("stopped: Loupe was closed meanwhile", "중지됨: 도중에 Loupe가 종료되었습니다"),
    "turn.cost": (
        "{steps} steps · {seconds:.1f} s · {tokens} tokens",
        "{steps}단계 · {seconds:.1f}초 · {tokens} 토큰",
    ),
    "turn.cost_one": (
        "1 step · {seconds:.1f} s · {tokens} tokens",
        "1단계 · {seconds:.1f}초 · {tokens} 토큰",
    ),
    "turn.seconds": ("{seconds:.1f} s", "{seconds:.1f}초"),
    "turn.kept": (
        "Stopped. Kept: {inspected} inspections and {decided} decisions of this turn; ask again to go on.",
        "중지했습니다. 검사 {inspected}건과 결정 {decided}건은 보존했고, 다시 요청하면 이어집니다.",
    ),
    "turn.written": ("written: {path}", "작성됨: {path}"),
    "turn.older": (
        "{count} earlier turns are not shown; /export writes them all",
        "이전 대화 {count}개는 생략: /export로 모두 저장",
    ),
    "turn.edit": ("edit and ask again", "고쳐서 다시 묻기"),
    "stopping": ("stopping …", "중지하는 중 …"),
    "running.already": (
        "a request is running: wait, or press Escape to stop it",
        "요청을 처리하는 중입니다. 기다리거나 Esc로 중지하세요",
    ),
    "welcome": (
        """\
**Say what you want in your own words.** For example:

- inspect everything and tell me what is wrong
- which parts have a scratch longer than 3 mm?
- show me @img_004
- img_004 is only dusty, accept it
- write the report for lot A-17

`/` lists the commands, `@` names an image, **F1** explains the keys.""",
        """\
**하고 싶은 일을 말로 적으세요.** 예를 들면:

- 전부 검사하고 문제가 있는 것을 알려 줘
- 3 mm보다 긴 스크래치가 있는 부품은?
- @img_004 보여 줘
- img_004는 먼지일 뿐이니 합격 처리해 줘
- 로트 A-17 보고서 만들어 줘

`/`는 명령 목록, `@`는 이미지 이름, **F1**은 키 도움말입니다.""",
    ),
    "first.title": ("Welcome to Loupe", "Loupe에 오신 것을 환영합니다"),
    "first.short": (
        "Loupe inspects photographs of parts. Open a folder of them to begin. The model *pocket* ships "
        "inside; `/model` names another, and Escape shows more.",
        "Loupe는 부품 사진을 검사합니다. 사진 폴더를 여세요. *pocket* 모델이 내장되어 있고, "
        "`/model`로 바꿀 수 있습니다. Esc를 누르면 설명이 더 있습니다.",
    ),
    "first.text": (
        """\
Loupe inspects photographs of parts: it finds defects, measures them, decides by your recipe and reports.

**Open a folder of photographs** to begin: Ctrl+O.

**Models.** *pocket* ships inside, works offline at once, and knows synthetic parts only. For real parts
name your own: `/model Qwen/Qwen2.5-VL-7B-Instruct`, a folder, or `http://host:port/v1#name`.
Without any model for the conversation the commands still work: `/inspect`, `/report`.""",
        """\
Loupe는 부품 사진을 검사합니다. 결함을 찾아 재고, 레시피에 따라 판정하고, 보고서를 씁니다.

**사진 폴더를 열어** 시작하세요: Ctrl+O.

**모델.** *pocket*은 내장되어 오프라인에서 바로 쓸 수 있지만 합성 부품만 압니다. 실제 부품에는
`/model Qwen/Qwen2.5-VL-7B-Instruct`, 폴더, `http://host:port/v1#name`처럼 지정하세요.
대화 모델이 없어도 `/inspect`, `/report` 같은 명령은 쓸 수 있습니다.""",
    ),
    # prompt
    "prompt.placeholder": ("Ask, or type / for commands", "요청을 적거나 / 로 명령을 고르세요"),
    "prompt.running": ("Working … Escape stops", "작업 중 … Esc로 중지"),
    # slash commands
    "slash.inspect": ("inspect all images, or those named", "전체 또는 지정한 이미지 검사"),
    "slash.screen": ("screen with CLIP only", "CLIP 선별만 실행"),
    "slash.locate": ("locate defects", "결함 위치 찾기"),
    "slash.measure": ("measure defects", "결함 측정"),
    "slash.describe": ("describe in words", "말로 설명"),
    "slash.findings": ("list what was found so far", "지금까지 찾은 결함"),
    "slash.good": ("keep these as good parts", "양품으로 등록"),
    "slash.look": ("show an image at the right", "오른쪽에 이미지 표시"),
    "slash.report": ("build the report; a lot may follow", "보고서 작성, 로트 지정 가능"),
    "slash.thumbnails": ("show the batch as small pictures", "이미지를 작은 사진으로 보기"),
    "slash.review": ("walk through what is open, hardest first", "남은 것을 어려운 순서로 검토"),
    "slash.undo": ("take back the last decision", "마지막 결정 되돌리기"),
    "slash.open": ("open a folder of images", "이미지 폴더 열기"),
    "slash.add": ("add images, in a new session", "이미지 추가, 새 세션"),
    "slash.sessions": ("list and resume sessions", "세션 목록과 이어하기"),
    "slash.model": ("show or switch the model", "모델 확인 또는 변경"),
    "slash.recipe": ("show or switch the recipe", "레시피 확인 또는 변경"),
    "slash.confirm": ("on/off: confirm the agent's decisions", "on/off: 에이전트 결정 확인"),
    "slash.export": ("write the chat as Markdown", "대화를 마크다운으로 저장"),
    "slash.copy": ("copy the last answer, or all", "마지막 답 또는 all 복사"),
    "slash.theme": ("switch colours", "색상 바꾸기"),
    "slash.language": ("en or ko", "en 또는 ko"),
    "slash.help": ("keys and commands", "키와 명령 도움말"),
    "slash.quit": ("leave; everything is saved", "종료, 모두 저장됨"),
    # keys
    "key.focus_batch": ("batch", "이미지"),
    "key.focus_prompt": ("chat", "대화"),
    "key.focus_picture": ("picture", "사진"),
    "key.help": ("help", "도움말"),
    "key.open": ("open folder", "폴더 열기"),
    "key.sessions": ("sessions", "세션"),
    "key.stop": ("stop", "중지"),
    "key.palette": ("all commands", "모든 명령"),
    "key.quit": ("quit", "종료"),
    "key.send": ("send", "보내기"),
    "key.newline": ("new line", "줄바꿈"),
    "key.history": ("earlier requests", "이전 요청"),
    "key.complete": ("complete", "완성"),
    "key.accept": ("accept", "합격"),
    "key.reject": ("reject", "불합격"),
    "key.review": ("to review", "재검토"),
    "key.undo": ("undo", "되돌리기"),
    "key.select": ("select", "선택"),
    "key.select_all": ("select all shown", "보이는 것 모두 선택"),
    "key.filter": ("filter", "필터"),
    "key.sort": ("sort", "정렬"),
    "key.mention": ("name it in the chat", "대화에 이름 넣기"),
    "key.walk": ("review mode", "검토 모드"),
    "key.edit": ("edit and ask again", "고쳐서 다시 묻기"),
    "key.fold": ("unfold its steps", "단계 펼치기"),
    "key.zoom": ("zoom", "확대"),
    "key.previous": ("finding before", "이전 결함"),
    "key.next": ("next finding", "다음 결함"),
    "key.marks": ("marks", "표시"),
    "key.heat": ("heat map", "히트맵"),
    "key.viewer": ("system viewer", "시스템 뷰어"),
    "key.thumbnails": ("thumbnails", "미리보기"),
    "key.nearer": ("nearer, farther", "가까이, 멀리"),
    "key.whole": ("whole image", "전체 보기"),
    "key.move": ("move, when zoomed", "확대했을 때 이동"),
    "key.copy": ("copy the answer", "답 복사"),
    "help.title": ("Keys and commands", "키와 명령"),
    "help.everywhere": ("Everywhere", "어디서나"),
    "help.prompt": ("Writing", "입력할 때"),
    "help.batch": ("In the batch", "이미지 목록에서"),
    "help.picture": ("On the picture", "사진에서"),
    "help.conversation": ("On a turn (Tab goes there)", "대화 항목에서 (Tab으로 이동)"),
    "help.commands": ("Commands", "명령"),
    "help.close": ("Escape closes this.", "Esc로 닫습니다."),
    # palette
    "palette.search": ("Search commands, keys and images …", "명령, 키, 이미지 찾기 …"),
    "palette.everywhere": ("app", "앱"),
    "palette.batch": ("batch", "이미지"),
    "palette.picture": ("picture", "사진"),
    "palette.conversation": ("last turn", "마지막 대화"),
    "palette.maximize": ("Maximize", "크게 펼치기"),
    "palette.maximize.help": ("show only the panel that has the focus", "지금 칸만 화면에 펼침"),
    "palette.minimize": ("Minimize", "원래 크기로"),
    "palette.minimize.help": ("show all panels again", "모든 칸을 다시 표시"),
    "palette.screenshot": ("Screenshot", "화면 저장"),
    "palette.screenshot.help": ("save the screen as SVG", "화면을 SVG로 저장"),
    # thumbnails
    "gallery.place": ("{place} of {total}", "{place}/{total}"),
    "gallery.choose": ("show it", "크게 보기"),
    "gallery.next": ("next page", "다음 쪽"),
    "gallery.previous": ("page before", "이전 쪽"),
    "gallery.leave": ("return", "돌아가기"),
    # dialogs
    "images.count": ("{count} images", "이미지 {count}장"),
    "approve.title": ("The agent wants to change a verdict", "에이전트가 판정을 바꾸려 합니다"),
    "approve.titles": (
        "The agent wants to change {count} verdicts",
        "에이전트가 판정 {count}건을 바꾸려 합니다",
    ),
    "approve.more": ("and {count} more", "그 밖에 {count}건"),
    "approve.text": ("{image}: {before} → {verdict}", "{image}: {before} → {verdict}"),
    "approve.yes": ("Agree (Ctrl+Y)", "동의 (Ctrl+Y)"),
    "approve.no": ("Refuse (Esc)", "거절 (Esc)"),
    "ok": ("OK", "확인"),
    "open.title": ("Open a folder of images", "이미지 폴더 열기"),
    "open.add": ("Add images to the batch", "이미지 추가"),
    "anew.title": (
        "This begins a new session: the decisions of people on {count} images stay in {path}",
        "새 세션이 시작되며, 사람이 결정한 이미지 {count}장의 판정은 {path}에 남습니다",
    ),
    "anew.stay": ("stay in this session", "지금 세션 유지"),
    "anew.begin": ("begin a new session", "새 세션 시작"),
    "anew.done": (
        "This is a new session. What was inspected, decided and said before is kept in {path}; "
        "/sessions goes back to it.",
        "새 세션입니다. 이전의 검사와 결정, 대화는 {path}에 남아 있으며, /sessions로 돌아갈 수 있습니다.",
    ),
    "open.path": ("path, glob or list file", "경로, 글롭 또는 목록 파일"),
    "open.recent": ("Recent batches", "최근 이미지 묶음"),
    "open.folders": ("Folders", "폴더"),
    "open.hint": (
        "Enter: open path · Tab: move · o: open folder of the tree · Esc: close",
        "Enter: 경로 열기 · Tab: 이동 · o: 트리의 폴더 열기 · Esc: 닫기",
    ),
    "sessions.title": ("Sessions", "세션"),
    "sessions.open": ("this session is open already", "이미 열려 있는 세션입니다"),
    "sessions.none": ("There are no sessions yet.", "아직 세션이 없습니다."),
    "sessions.row": ("{when} · {images} · requests: {turns}", "{when} · {images} · 요청 {turns}개"),
    "choose.hint": ("Enter chooses · Escape closes", "Enter 선택 · Esc 닫기"),
    "model.title": (
        "Model of the conversation; so far {turns} requests, {seconds:.0f} s, {read} + {written} tokens",
        "대화 모델, 지금까지 요청 {turns}개, {seconds:.0f}초, {read} + {written} 토큰",
    ),
    "model.cost": (
        "{download:.1f} GB to download once, {memory:.1f} GB of memory",
        "내려받기 {download:.1f} GB, 메모리 {memory:.1f} GB",
    ),
    "model.inside": ("ships inside", "내장"),
    "model.server": (
        "a server: /model http://host:port/v1#name; a folder or hub id likewise",
        "서버: /model http://host:port/v1#name, 폴더나 허브 이름도 가능",
    ),
    "model.switched": ("model {name}: loads at the next request", "모델 {name}: 다음 요청 때 불러옵니다"),
    "recipe.next": ("recipe {name}: for the images that you open", "레시피 {name}: 여는 이미지에 적용됩니다"),
    "recipe.title": ("Recipe: {name}", "레시피: {name}"),
    # notices
    "undo.done": ("taken back: {what}, {verdict} ({reason})", "되돌림: {what}, {verdict} ({reason})"),
    "undo.still_good": (
        "Still among the good parts: `{command}` takes them out.",
        "양품 목록에는 남아 있습니다. `{command}` 명령으로 뺄 수 있습니다.",
    ),
    "undo.nothing": ("nothing to take back", "되돌릴 판정이 없습니다"),
    "undo.reason": ("taken back: {reason}", "되돌림: {reason}"),
    "decided": ("{what}: {verdict}", "{what}: {verdict}"),
    "copied": ("copied", "복사했습니다"),
    "copy.nothing": ("there is no answer yet", "아직 답이 없습니다"),
    "exported": ("written to {path}", "{path}에 저장했습니다"),
    "slash.unknown": (
        "there is no command {name}: / lists them",
        "{name} 명령은 없습니다. / 로 목록을 보세요",
    ),
    "needs_batch": ("open a folder of images first (Ctrl+O)", "먼저 이미지 폴더를 여세요 (Ctrl+O)"),
    "confirm.on": ("the agent's decisions are confirmed first", "에이전트의 결정을 먼저 확인합니다"),
    "confirm.off": (
        "the agent decides without asking; all is recorded",
        "에이전트가 묻지 않고 결정하며 모두 기록됩니다",
    ),
    "waits.already": (
        "one request waits for the images already: send this one after it",
        "이미지를 기다리는 요청이 이미 있습니다. 그 요청 다음에 보내세요",
    ),
    "waits.recording": (
        "recording decisions …: follows at once after them",
        "판정을 기록하는 중 …: 기록한 다음 바로 이어집니다",
    ),
    "waits": ("asked as soon as the images are open", "이미지가 열리는 대로 요청합니다"),
    "error": ("Error", "오류"),
    "hint": ("hint", "도움"),
    "usage": ("use it as {usage}", "사용법: {usage}"),
    "picture.none": ("no image chosen", "선택한 이미지 없음"),
    # roles in the exported chat
    "export.title": ("Inspection chat", "검사 대화"),
    "export.you": ("You", "사용자"),
    "export.loupe": ("Loupe", "Loupe"),
    "export.code": ("Program", "프로그램"),
    "export.result": ("Result", "결과"),
}


class Words:
    """The app's words in one language.

    Args:
        language: English or Korean.
    """

    def __init__(self, language: Language = Language.EN) -> None:
        self.language = language

    def __call__(self, key: str, **slots: object) -> str:
        """Returns a text with its slots filled."""
        text = WORDS[key][self.language is Language.KO]
        return text.format(**slots) if slots else text

    def of_images(self, ids: Sequence[str]) -> str:
        """Returns the one image that is meant, or how many are."""
        return ids[0] if len(ids) == 1 else self("images.count", count=len(ids))


def language_of_terminal() -> Language:
    """Returns Korean where the terminal's locale is Korean, else English."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return Language.KO if locale.lower().startswith("ko") else Language.EN
