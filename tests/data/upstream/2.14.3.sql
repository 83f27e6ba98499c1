BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('5b0e9adcef9c');
CREATE TABLE datasets (
	dataset_uuid VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	digest VARCHAR(36) NOT NULL, 
	dataset_source_type VARCHAR(36) NOT NULL, 
	dataset_source TEXT NOT NULL, 
	dataset_schema TEXT, 
	dataset_profile TEXT, 
	CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "datasets" VALUES('e9bb466a287345828942dc06bc69f265',1,'train','d1','local','{"uri": "data/train.csv"}','{"mlflow_colspec": []}','{"num_rows": 3}');
INSERT INTO "datasets" VALUES('0e11160004524a7cbd2bd371fc80be13',1,'validation','d2','code','{"tags": {}}',NULL,NULL);
CREATE TABLE experiment_tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	experiment_id INTEGER NOT NULL, 
	CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "experiment_tags" VALUES('team','vision',1);
INSERT INTO "experiment_tags" VALUES('mlflow.note.content','Learning rates
and optimizers',1);
INSERT INTO "experiment_tags" VALUES('owner','Zoë',2);
INSERT INTO "experiment_tags" VALUES('ключ','значение ''quoted''',2);
INSERT INTO "experiment_tags" VALUES('team','vision',3);
CREATE TABLE experiments (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(0,'Default','s3://artifacts/default/0','active',1700000000000,1700000000000);
INSERT INTO "experiments" VALUES(1,'sweep','s3://artifacts/0','active',1700000001000,1700000001000);
INSERT INTO "experiments" VALUES(2,'größe 规模','s3://artifacts/6','active',1700000002000,1700000002000);
INSERT INTO "experiments" VALUES(3,'abandoned','s3://artifacts/7','deleted',1700000003000,1700000010000);
CREATE TABLE input_tags (
	input_uuid VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	value VARCHAR(500) NOT NULL, 
	CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO "input_tags" VALUES('25b2116aae6c4f558e0c3f08e12656f1','mlflow.data.context','training');
INSERT INTO "input_tags" VALUES('646c2d6447d443989b11bb37b54c3950','mlflow.data.context','training');
INSERT INTO "input_tags" VALUES('ef5e7d7a3a864aac9826a9974368903d','mlflow.data.context','evaluation');
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, 
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" VALUES('25b2116aae6c4f558e0c3f08e12656f1','DATASET','e9bb466a287345828942dc06bc69f265','RUN','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "inputs" VALUES('5e06e22dfff344ecb1dcec40db7aca58','DATASET','0e11160004524a7cbd2bd371fc80be13','RUN','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "inputs" VALUES('646c2d6447d443989b11bb37b54c3950','DATASET','e9bb466a287345828942dc06bc69f265','RUN','77616364568c43969dfc388c3d5df972');
INSERT INTO "inputs" VALUES('ef5e7d7a3a864aac9826a9974368903d','DATASET','0e11160004524a7cbd2bd371fc80be13','RUN','77616364568c43969dfc388c3d5df972');
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" VALUES('loss',0.125,1700000004000,3,0,'8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "latest_metrics" VALUES('accuracy',0.875,1700000004000,3,0,'8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "latest_metrics" VALUES('loss',0.75,1700000019000,5,0,'77616364568c43969dfc388c3d5df972');
INSERT INTO "latest_metrics" VALUES('loss',3.0,1700000021000,0,0,'5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "latest_metrics" VALUES('gradient',0.0,1700000024000,3,1,'5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "latest_metrics" VALUES('overflow',1.79769313486231562234e+308,1700000022000,1,0,'5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "latest_metrics" VALUES('loss',0.5,1700000021000,7,0,'4e3e52d639304a9090391192cc308fc0');
INSERT INTO "latest_metrics" VALUES('loss',0.1,1700000041000,0,0,'6ba3be7682e94419ba03fc6fecc23398');
INSERT INTO "latest_metrics" VALUES('fehler/größe',-2.5e+100,1700000006000,1099511627776,0,'760b194614364d1abd57d3926b7cf30c');
INSERT INTO "latest_metrics" VALUES('loss',9.0,1700000002000,0,0,'707620135c2641578c8dd3f2908fa0bb');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('loss',1.0,1700000001000,'8575062102fb4d4fb57fbc5af71a1bfc',0,0);
INSERT INTO "metrics" VALUES('loss',0.5,1700000002000,'8575062102fb4d4fb57fbc5af71a1bfc',1,0);
INSERT INTO "metrics" VALUES('loss',0.25,1700000003000,'8575062102fb4d4fb57fbc5af71a1bfc',2,0);
INSERT INTO "metrics" VALUES('loss',0.125,1700000004000,'8575062102fb4d4fb57fbc5af71a1bfc',3,0);
INSERT INTO "metrics" VALUES('accuracy',0.5,1700000001000,'8575062102fb4d4fb57fbc5af71a1bfc',0,0);
INSERT INTO "metrics" VALUES('accuracy',0.875,1700000004000,'8575062102fb4d4fb57fbc5af71a1bfc',3,0);
INSERT INTO "metrics" VALUES('loss',2.0,1700000011000,'77616364568c43969dfc388c3d5df972',-1,0);
INSERT INTO "metrics" VALUES('loss',1.5,1700000012000,'77616364568c43969dfc388c3d5df972',0,0);
INSERT INTO "metrics" VALUES('loss',1.25,1700000013000,'77616364568c43969dfc388c3d5df972',0,0);
INSERT INTO "metrics" VALUES('loss',0.75,1700000019000,'77616364568c43969dfc388c3d5df972',5,0);
INSERT INTO "metrics" VALUES('loss',3.0,1700000021000,'5aec4989dfe14e78b4d474c0db9b3642',0,0);
INSERT INTO "metrics" VALUES('gradient',1.0e-300,1700000021000,'5aec4989dfe14e78b4d474c0db9b3642',0,0);
INSERT INTO "metrics" VALUES('gradient',1.79769313486231562234e+308,1700000022000,'5aec4989dfe14e78b4d474c0db9b3642',1,0);
INSERT INTO "metrics" VALUES('gradient',-1.79769313486231562234e+308,1700000023000,'5aec4989dfe14e78b4d474c0db9b3642',2,0);
INSERT INTO "metrics" VALUES('gradient',0.0,1700000024000,'5aec4989dfe14e78b4d474c0db9b3642',3,1);
INSERT INTO "metrics" VALUES('overflow',-1.79769313486231562234e+308,1700000021000,'5aec4989dfe14e78b4d474c0db9b3642',0,0);
INSERT INTO "metrics" VALUES('overflow',1.79769313486231562234e+308,1700000022000,'5aec4989dfe14e78b4d474c0db9b3642',1,0);
INSERT INTO "metrics" VALUES('loss',0.5,1700000021000,'4e3e52d639304a9090391192cc308fc0',7,0);
INSERT INTO "metrics" VALUES('loss',0.1,1700000041000,'6ba3be7682e94419ba03fc6fecc23398',0,0);
INSERT INTO "metrics" VALUES('fehler/größe',0.1,1700000005000,'760b194614364d1abd57d3926b7cf30c',0,0);
INSERT INTO "metrics" VALUES('fehler/größe',-2.5e+100,1700000006000,'760b194614364d1abd57d3926b7cf30c',1099511627776,0);
INSERT INTO "metrics" VALUES('loss',9.0,1700000002000,'707620135c2641578c8dd3f2908fa0bb',0,0);
CREATE TABLE model_version_tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT model_version_tag_pk PRIMARY KEY ("key", name, version), 
	FOREIGN KEY(name, version) REFERENCES model_versions (name, version) ON UPDATE cascade
);
INSERT INTO "model_version_tags" VALUES('number','1','classifier',1);
INSERT INTO "model_version_tags" VALUES('number','2','classifier',2);
INSERT INTO "model_version_tags" VALUES('number','3','classifier',3);
INSERT INTO "model_version_tags" VALUES('number','4','classifier',4);
CREATE TABLE "model_versions" (
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	user_id VARCHAR(256), 
	current_stage VARCHAR(20), 
	source VARCHAR(500), 
	run_id VARCHAR(32), 
	status VARCHAR(20), 
	status_message VARCHAR(500), 
	run_link VARCHAR(500), storage_location VARCHAR(500), 
	CONSTRAINT model_version_pk PRIMARY KEY (name, version), 
	FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" VALUES('classifier',1,1700000005000,1700000009000,'Version 1',NULL,'Archived','s3://models/classifier/1','8575062102fb4d4fb57fbc5af71a1bfc','READY',NULL,NULL,'s3://models/classifier/1');
INSERT INTO "model_versions" VALUES('classifier',2,1700000006000,1700000009000,'Version 2',NULL,'Production','s3://models/classifier/2','77616364568c43969dfc388c3d5df972','READY',NULL,NULL,'s3://models/classifier/2');
INSERT INTO "model_versions" VALUES('classifier',3,1700000007000,1700000007000,NULL,NULL,'None','s3://models/classifier/3',NULL,'READY',NULL,NULL,'s3://models/classifier/3');
INSERT INTO "model_versions" VALUES('classifier',4,1700000008000,1700000009000,NULL,NULL,'Deleted_Internal','REDACTED-SOURCE-PATH','REDACTED-RUN-ID','READY',NULL,'REDACTED-RUN-LINK','s3://models/classifier/4');
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('optimizer','adam','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "params" VALUES('lr','0.1','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "params" VALUES('layers','3','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "params" VALUES('optimizer','adam','77616364568c43969dfc388c3d5df972');
INSERT INTO "params" VALUES('lr','0.01','77616364568c43969dfc388c3d5df972');
INSERT INTO "params" VALUES('optimizer','sgd','5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "params" VALUES('lr','0.1','5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "params" VALUES('optimizer','sgd','4e3e52d639304a9090391192cc308fc0');
INSERT INTO "params" VALUES('lr','10','4e3e52d639304a9090391192cc308fc0');
INSERT INTO "params" VALUES('optimizer','adam','6ba3be7682e94419ba03fc6fecc23398');
INSERT INTO "params" VALUES('größe','数値 🚀','760b194614364d1abd57d3926b7cf30c');
INSERT INTO "params" VALUES('lr','nicht gesetzt','760b194614364d1abd57d3926b7cf30c');
INSERT INTO "params" VALUES('optimizer','adam','707620135c2641578c8dd3f2908fa0bb');
CREATE TABLE registered_model_aliases (
	alias VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (name, alias), 
	CONSTRAINT registered_model_alias_name_fkey FOREIGN KEY(name) REFERENCES registered_models (name) ON DELETE cascade ON UPDATE cascade
);
INSERT INTO "registered_model_aliases" VALUES('champion',2,'classifier');
INSERT INTO "registered_model_aliases" VALUES('challenger',3,'classifier');
INSERT INTO "registered_model_aliases" VALUES('newest',3,'classifier');
CREATE TABLE registered_model_tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	CONSTRAINT registered_model_tag_pk PRIMARY KEY ("key", name), 
	FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE cascade
);
INSERT INTO "registered_model_tags" VALUES('team','vision','classifier');
INSERT INTO "registered_model_tags" VALUES('ключ','значение','classifier');
CREATE TABLE registered_models (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	CONSTRAINT registered_model_pk PRIMARY KEY (name), 
	UNIQUE (name)
);
INSERT INTO "registered_models" VALUES('classifier',1700000004000,1700000009000,'Classifies спирали');
INSERT INTO "registered_models" VALUES('größe-модель',1700000004000,1700000004000,NULL);
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('8575062102fb4d4fb57fbc5af71a1bfc','grid','UNKNOWN','','','ada','FINISHED',1700000000000,1700000100000,'','active','s3://artifacts/0/8575062102fb4d4fb57fbc5af71a1bfc/artifacts',1,NULL);
INSERT INTO "runs" VALUES('77616364568c43969dfc388c3d5df972','trial-1','UNKNOWN','','','unknown','FINISHED',1700000010000,1700000030000,'','active','s3://artifacts/0/77616364568c43969dfc388c3d5df972/artifacts',1,NULL);
INSERT INTO "runs" VALUES('5aec4989dfe14e78b4d474c0db9b3642','trial-2','UNKNOWN','','','unknown','FAILED',1700000020000,1700000025000,'','active','s3://artifacts/0/5aec4989dfe14e78b4d474c0db9b3642/artifacts',1,NULL);
INSERT INTO "runs" VALUES('4e3e52d639304a9090391192cc308fc0','trial-3','UNKNOWN','','','unknown','RUNNING',1700000020000,NULL,'','active','s3://artifacts/0/4e3e52d639304a9090391192cc308fc0/artifacts',1,NULL);
INSERT INTO "runs" VALUES('6ba3be7682e94419ba03fc6fecc23398','trial-4','UNKNOWN','','','unknown','FINISHED',1700000040000,1700000050000,'','deleted','s3://artifacts/0/6ba3be7682e94419ba03fc6fecc23398/artifacts',1,1700000001000);
INSERT INTO "runs" VALUES('d7369de5749e4f7793c012aa3b3c1aa1','empty','UNKNOWN','','','unknown','KILLED',1700000060000,1700000061000,'','active','s3://artifacts/0/d7369de5749e4f7793c012aa3b3c1aa1/artifacts',1,NULL);
INSERT INTO "runs" VALUES('760b194614364d1abd57d3926b7cf30c','versuch 数 é','UNKNOWN','','','unknown','FINISHED',1700000005000,1700000006000,'','active','s3://artifacts/6/760b194614364d1abd57d3926b7cf30c/artifacts',2,NULL);
INSERT INTO "runs" VALUES('707620135c2641578c8dd3f2908fa0bb','left','UNKNOWN','','','unknown','FINISHED',1700000001000,1700000002000,'','deleted','s3://artifacts/7/707620135c2641578c8dd3f2908fa0bb/artifacts',3,1700000010000);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('team','vision','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "tags" VALUES('kind','vision','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "tags" VALUES('mlflow.user','ada','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "tags" VALUES('note','it''s 100% "done"','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "tags" VALUES('mlflow.runName','grid','8575062102fb4d4fb57fbc5af71a1bfc');
INSERT INTO "tags" VALUES('team','vision','77616364568c43969dfc388c3d5df972');
INSERT INTO "tags" VALUES('mlflow.parentRunId','8575062102fb4d4fb57fbc5af71a1bfc','77616364568c43969dfc388c3d5df972');
INSERT INTO "tags" VALUES('mlflow.runName','trial-1','77616364568c43969dfc388c3d5df972');
INSERT INTO "tags" VALUES('team','audio','5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "tags" VALUES('mlflow.parentRunId','8575062102fb4d4fb57fbc5af71a1bfc','5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "tags" VALUES('mlflow.runName','trial-2','5aec4989dfe14e78b4d474c0db9b3642');
INSERT INTO "tags" VALUES('mlflow.runName','trial-3','4e3e52d639304a9090391192cc308fc0');
INSERT INTO "tags" VALUES('mlflow.parentRunId','8575062102fb4d4fb57fbc5af71a1bfc','6ba3be7682e94419ba03fc6fecc23398');
INSERT INTO "tags" VALUES('mlflow.runName','trial-4','6ba3be7682e94419ba03fc6fecc23398');
INSERT INTO "tags" VALUES('mlflow.runName','empty','d7369de5749e4f7793c012aa3b3c1aa1');
INSERT INTO "tags" VALUES('schlüssel','Wert	mit
Zeilen','760b194614364d1abd57d3926b7cf30c');
INSERT INTO "tags" VALUES('kind','Vision','760b194614364d1abd57d3926b7cf30c');
INSERT INTO "tags" VALUES('mlflow.runName','versuch 数 é','760b194614364d1abd57d3926b7cf30c');
INSERT INTO "tags" VALUES('mlflow.runName','left','707620135c2641578c8dd3f2908fa0bb');
CREATE TABLE trace_info (
	request_id VARCHAR(50) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	timestamp_ms BIGINT NOT NULL, 
	execution_time_ms BIGINT, 
	status VARCHAR(50) NOT NULL, 
	CONSTRAINT trace_info_pk PRIMARY KEY (request_id), 
	CONSTRAINT fk_trace_info_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE "trace_request_metadata" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	request_id VARCHAR(50) NOT NULL, 
	CONSTRAINT trace_request_metadata_pk PRIMARY KEY ("key", request_id), 
	CONSTRAINT fk_trace_request_metadata_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE TABLE "trace_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	request_id VARCHAR(50) NOT NULL, 
	CONSTRAINT trace_tag_pk PRIMARY KEY ("key", request_id), 
	CONSTRAINT fk_trace_tags_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE INDEX index_datasets_dataset_uuid ON datasets (dataset_uuid);
CREATE INDEX index_datasets_experiment_id_dataset_source_type ON datasets (experiment_id, dataset_source_type);
CREATE INDEX index_inputs_destination_type_destination_id_source_type ON inputs (destination_type, destination_id, source_type);
CREATE INDEX index_inputs_input_uuid ON inputs (input_uuid);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_params_run_uuid ON params (run_uuid);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
CREATE INDEX index_trace_info_experiment_id_timestamp_ms ON trace_info (experiment_id, timestamp_ms);
CREATE INDEX index_trace_request_metadata_request_id ON trace_request_metadata (request_id);
CREATE INDEX index_trace_tags_request_id ON trace_tags (request_id);
COMMIT;
