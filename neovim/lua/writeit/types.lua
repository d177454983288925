---@meta
-- The shapes of the wire contract that this plug-in reads. Fields it never looks at are
-- left out; docs/protocol.schema.json has them all.

---@class writeit.Answer
---@field responseId string
---@field modelName string
---@field provider string
---@field rawOutput string
---@field processedContent string
---@field partial boolean

---@class writeit.Passage
---@field passageId string
---@field responseId string
---@field text string

---@class writeit.Failure
---@field responseId string
---@field model string
---@field reason string
---@field message string

---@class writeit.Step
---@field stepName string
---@field isDone boolean Completed or skipped.
---@field can table<'run'|'regenerate'|'select'|'merge'|'skip'|'apply'|'branch', boolean>
---@field startedAt? string
---@field aiResponses writeit.Answer[]
---@field userSelection? integer
---@field mergedContent? string
---@field content? string
---@field passages writeit.Passage[]
---@field failures writeit.Failure[]
---@field streaming { responseId: string, model: string, text: string }[]

---@class writeit.Run
---@field pipelineRunId string
---@field configurationId string
---@field currentStep string
---@field isDone boolean
---@field statusText string Where it stands, for a person.
---@field can table<'pause'|'resume'|'delete', boolean>
---@field steps table<string, writeit.Step>
---@field name? string
---@field uri? string

---@class writeit.Tree
---@field runId string
---@field name? string
---@field title string
---@field branchPoint? string
---@field statusText string
---@field currentStep string
---@field deleted boolean
---@field children writeit.Tree[]
---@field more boolean

---@class writeit.Input
---@field name string
---@field type string
---@field label string
---@field required boolean
---@field default? string|number|boolean
---@field options string[]
---@field from? string

---@class writeit.Pipeline
---@field name string
---@field description string
---@field appliesTo 'document'|'selection'
---@field steps string[]
---@field inputs writeit.Input[]

---@class writeit.Pipelines
---@field pipelines writeit.Pipeline[]
---@field binding? { pipeline?: string, inputs: table<string, string> } Of a document.

--- A text of a view and where it stands; lines count from 0, both included.
---@class writeit.Section
---@field kind 'answer'|'coming'|'merge'|'feedback'|'left'|'right'
---@field responseId? string
---@field firstLine integer
---@field lastLine integer

--- What became of an apply.
---@class writeit.Applied
---@field applied boolean
---@field uri string
---@field merged boolean
---@field conflicts table[]
---@field pending boolean

--- A text, and the document in which it met words of hers.
---@class writeit.Contest
---@field uri string
---@field runId string
---@field step string

--- What went wrong, in words for a person; raised with `error(fault, 0)`.
---@class writeit.Fault
---@field message string
---@field hint? string What to do next.
---@field kind? string Of the contract's errors.
---@field quiet? boolean She changed her mind: nothing needs to be said.

--- Where a command was given, and what it is about.
---@class writeit.Here
---@field buf integer
---@field client vim.lsp.Client
---@field uri? string Of the document.
---@field run_id? string
---@field step? string

--- The same, of a place that has a run.
---@class writeit.HereRun: writeit.Here
---@field run_id string
