---@meta
-- The parts of the protocol that this plug-in reads; docs/protocol.schema.json has all of
-- it. Also the types that several modules share.

---@class writeit.Answer
---@field number integer
---@field letter? string What the user is shown instead of number and model, until a choice.
---@field responseId string
---@field modelName string
---@field provider string
---@field processedContent string
---@field partial boolean
---@field finishReason? string

---@class writeit.Passage
---@field text string

---@class writeit.Failure
---@field model string
---@field message string

---@class writeit.Step
---@field stepName string
---@field isDone boolean Completed or skipped.
---@field can table<'run'|'regenerate'|'select'|'merge'|'skip'|'apply'|'branch', boolean>
---@field startedAt? string
---@field aiResponses writeit.Answer[]
---@field mergedContent? string
---@field content? string
---@field passages writeit.Passage[]
---@field failures writeit.Failure[]
---@field streaming { responseId: string, number: integer, letter?: string }[]

---@class writeit.Run
---@field pipelineRunId string
---@field configurationId string
---@field currentStep string
---@field isDone boolean
---@field isStreaming boolean
---@field statusText string Where it stands, for a person.
---@field steps table<string, writeit.Step>
---@field name? string
---@field branchPoint? string
---@field parentPipelineRunId? string
---@field uri? string
---@field next? { step: string, error?: table } Of a decision that goes on.
---@field applied? writeit.ApplyResult

---@class writeit.RunSummary
---@field runId string
---@field label string Its name, the first words of its passage, or its title.
---@field documentRunId? string Of a run about a passage: the run to show it below.
---@field pipeline string
---@field costUsd? number
---@field isBlind boolean Whether the cost is not shown yet.
---@field statusText string
---@field createdAt string
---@field uri? string

---@class writeit.RunTree
---@field runId string
---@field name? string
---@field label string
---@field branchPoint? string
---@field createdAt string
---@field costUsd? number
---@field isBlind boolean Whether the cost is not shown yet.
---@field statusText string
---@field deleted boolean
---@field children writeit.RunTree[]
---@field passages writeit.RunTree[]

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
---@field binding? { pipeline?: string, inputs: table<string, string> } By the front matter.

--- A text in a view; lines count from 0, both included.
---@class writeit.Section
---@field kind 'answer'|'coming'|'merge'|'feedback'|'left'|'right'
---@field responseId? string
---@field headingLine integer
---@field firstLine integer
---@field lastLine integer
---@field text? string Where `view.read_sections` has read it.

--- The result of an apply.
---@class writeit.ApplyResult
---@field applied boolean
---@field uri string
---@field merged boolean
---@field conflicts table[]
---@field pending boolean

--- A text that conflicts with the user's changes in a document.
---@class writeit.Conflict
---@field uri string
---@field runId string
---@field step string

--- An error with a message for the user; raised with `error(failure, 0)`.
---@class writeit.Error
---@field message string
---@field hint? string What to do next.
---@field kind? string As in docs/protocol.md, of an error of the server.
---@field quiet? boolean Nothing is shown: the user cancelled or has been told.

--- What a command is about.
---@class writeit.Target
---@field buf integer
---@field client vim.lsp.Client
---@field uri? string Of the document, nil in a view.
---@field run_id? string
---@field step? string

---@class writeit.RunTarget: writeit.Target
---@field run_id string
